"""NumPy's arrays in files (.npy), read with no more memory than there is data, whatever a header claims."""

import math
from typing import IO

import numpy as np

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_array(file: IO[bytes], size: int) -> np.ndarray:
    """Reads an array of numbers from its file, or from an entry of a zip archive.

    Args:
        file: positioned at its start.
        size: of the file, bytes.

    Raises:
        ValueError: it is not such a file; the text says what is wrong.
    """
    read_header = _HEADERS.get(np.lib.format.read_magic(file))
    if read_header is None:
        raise ValueError('a version of .npy files that is not known')
    try:
        shape, is_fortran, dtype = read_header(file)
    except Exception as error:  # NumPy parses it as Python, with that parser's errors
        raise ValueError('a damaged header') from error
    if dtype.kind not in 'iuf':
        raise ValueError(f'elements of type {dtype} are not numbers')
    count = math.prod(shape)
    data = file.read(count * dtype.itemsize) if 0 <= count * dtype.itemsize == size - file.tell() else b''
    if min(shape, default=0) < 0 or len(data) != count * dtype.itemsize:
        raise ValueError('an array of another size than its data')
    return np.frombuffer(data, dtype).reshape(shape, order='F' if is_fortran else 'C')
