"""Stored embeddings of captions in an image folder: `embeddings.npz`, an array `[K, T]` under each image's name."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stackgan_tf.formats.numpy_files import read_array
from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError

FILE_NAME = 'embeddings.npz'
_NAMED = 3
_MOST = 1 << 24  # bytes of one image's embeddings: a small archive can hold gigabytes of zeros


def read_embeddings(root: Path, names: Sequence[str]) -> list[np.ndarray]:
    """The stored embeddings of some images.

    Args:
        root: the folder, which holds `embeddings.npz` as `numpy.savez` writes it. Its names are those of the images,
            relative to the folder, with slashes.
        names: of the images.

    Returns:
        float32 `[K, T]` of each image; an array `[T]` in the file counts as one embedding.

    Raises:
        UserError: there is no such file, it cannot be read, or lacks some images.
    """
    path = root / FILE_NAME
    if not path.is_file():
        raise UserError(f'{root} has no stored embeddings ({FILE_NAME}), which this recipe needs')
    try:
        with zipfile.ZipFile(path) as archive:
            missing = sorted(set(names) - {name.removesuffix('.npy') for name in archive.namelist()})
            if missing:
                listed = ', '.join(map(printable, missing[:_NAMED]))
                raise UserError(f'{path} lacks {len(missing):,} images: {listed}')
            return [_rows(archive, f'{name}.npy') for name in names]
    except UserError:
        raise
    except Exception as error:  # broken archives raise errors of many kinds
        raise UserError(f'{path} cannot be read: {error or type(error).__name__}') from error


def _rows(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    info = archive.getinfo(name)
    if info.file_size > _MOST:
        raise ValueError(f'{printable(name)} has more than {_MOST >> 20} MB')
    with archive.open(info) as file:
        return np.atleast_2d(read_array(file, info.file_size).astype(np.float32))
