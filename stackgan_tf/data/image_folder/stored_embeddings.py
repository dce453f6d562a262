"""Stored embeddings of captions in an image folder, made by any program.

Either `embeddings.npz`, an array `[K, T]` under each image's name; or `embeddings.npy`, an array `[R, T]`, with the
names of the images of its rows in `embeddings.txt`.
"""

import collections
import posixpath
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from stackgan_tf.formats.numpy_files import read_array
from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError

ARCHIVE, TABLE, NAMES = ('embeddings.npz', 'embeddings.npy', 'embeddings.txt')
_NAMED = 3
_MOST = 1 << 24  # bytes of one image's embeddings: a small archive can hold gigabytes of zeros


def read_embeddings(root: Path, names: Sequence[str]) -> list[np.ndarray]:
    """The stored embeddings of some images.

    Args:
        root: the folder, which holds `embeddings.npz` as `numpy.savez` writes it, or `embeddings.npy` as `numpy.save`
            does and `embeddings.txt` with a name per line, several times for several embeddings. Names are those of
            the images, relative to the folder, with slashes, with or without their suffixes.
        names: of the images.

    Returns:
        float32 `[K, T]` of each image; an array `[T]` in the archive counts as one embedding.

    Raises:
        UserError: there are no such files, or both; one cannot be read, or lacks some images.
    """
    found = [root / name for name in (ARCHIVE, TABLE) if (root / name).is_file()]
    if not found:
        raise UserError(f'{root} has no stored embeddings ({ARCHIVE}, or {TABLE} and {NAMES}), which this recipe needs')
    if len(found) > 1:
        raise UserError(f'{root} has {ARCHIVE} and {TABLE}: remove one of them')
    (path,) = found
    try:
        return _of_archive(path, names) if path.name == ARCHIVE else _of_table(path, names)
    except UserError:
        raise
    except Exception as error:  # broken archives raise errors of many kinds
        raise UserError(f'{path} cannot be read: {error or type(error).__name__}') from error


def _of_archive(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        keys = _keys(path, {name.removesuffix('.npy') for name in archive.namelist()}, names)
        return [_rows(archive, f'{key}.npy') for key in keys]


def _rows(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    info = archive.getinfo(name)
    if info.file_size > _MOST:
        raise ValueError(f'{printable(name)} has more than {_MOST >> 20} MB')
    with archive.open(info) as file:
        return np.atleast_2d(read_array(file, info.file_size).astype(np.float32))


def _of_table(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """The rows of each image.

    Raises:
        UserError: there are not as many names as rows, or they lack some images.
        ValueError: the table cannot be read.
    """
    with path.open('rb') as file:
        table = read_array(file, path.stat().st_size)
    names_path = path.with_name(NAMES)
    if not names_path.is_file():
        raise UserError(f'{path} needs {NAMES}: the image of each row, a name per line')
    listed = names_path.read_text(encoding='utf-8-sig', errors='surrogateescape').rstrip('\n').split('\n')
    if table.ndim != 2 or len(table) != len(listed):
        raise UserError(
            f'{path} has the shape {list(table.shape)}, {NAMES} {len(listed):,} names: one per row is needed'
        )
    rows = collections.defaultdict(list)
    for row, name in enumerate(listed):
        rows[name].append(row)
    return [table[rows[key]].astype(np.float32) for key in _keys(names_path, rows.keys(), names)]


def _keys(path: Path, listed: Collection[str], names: Sequence[str]) -> list[str]:
    """The name under which each image is listed: its own, or without its suffix if no other image has that.

    Raises:
        UserError: some images are not listed.
    """
    stems = collections.Counter(posixpath.splitext(name)[0] for name in names)
    keys, missing = [], []
    for name in names:
        stem = posixpath.splitext(name)[0]
        if name in listed:
            keys.append(name)
        elif stem in listed and stems[stem] == 1:
            keys.append(stem)
        else:
            missing.append(name)
    if missing:
        named = ', '.join(map(printable, sorted(missing)[:_NAMED]))
        raise UserError(f'{path} lacks {len(missing):,} images: {named}')
    return keys
