"""Embeddings of captions beside the pictures: `embeddings.npz`, an array `[K, T]` under each picture's name."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stackgan_tf.user_error import UserError

FILE_NAME = 'embeddings.npz'
_NAMED = 3


def read_embeddings(root: Path, names: Sequence[str]) -> list[np.ndarray]:
    """The stored embeddings of some pictures.

    Args:
        root: the folder, which holds `embeddings.npz` as `numpy.savez` writes it. Its names are those of the pictures,
            relative to the folder, with slashes.
        names: of the pictures.

    Returns:
        Of each picture float32 `[K, T]`; an array `[T]` in the file counts as one embedding.

    Raises:
        UserError: there is no such file, it cannot be read, or lacks some pictures.
    """
    path = root / FILE_NAME
    if not path.is_file():
        raise UserError(f'{root} has no stored embeddings ({FILE_NAME}), which this recipe needs')
    try:
        with np.load(path, allow_pickle=False) as stored:
            missing = sorted(set(names) - set(stored.files))
            if missing:
                raise UserError(f'{path} lacks {len(missing):,} pictures: {", ".join(missing[:_NAMED])}')
            return [np.atleast_2d(stored[name].astype(np.float32)) for name in names]
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f'{path} cannot be read: {error}') from error
