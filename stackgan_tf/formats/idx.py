"""Arrays of bytes in the IDX format, in which MNIST was published, plain or compressed by gzip."""

import gzip
import math
from pathlib import Path

import numpy as np

from stackgan_tf.formats.archive_errors import archive_errors

_MOST = 1 << 28  # bytes; MNIST's largest file has 47 million


def read_idx(path: Path) -> np.ndarray:
    """Reads an array of unsigned bytes, of any number of dimensions.

    Raises:
        UserError: it is not such a file, or damaged.
    """
    with archive_errors(path), gzip.open(path) if path.suffix == '.gz' else path.open('rb') as file:
        magic = file.read(4)
        if magic[:3] != b'\0\0\x08' or len(magic) < 4:
            raise ValueError('not an IDX file of bytes')
        shape = tuple(np.frombuffer(file.read(4 * magic[3]), '>u4').tolist())
        size = math.prod(shape)
        data = file.read(min(size, _MOST) + 1)
        if len(shape) != magic[3] or len(data) != size:
            raise ValueError('an array of another size than its data')
        return np.frombuffer(data, np.uint8).reshape(shape)
