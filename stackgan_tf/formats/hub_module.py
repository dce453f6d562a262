"""Opens SavedModels, from a folder or by a TF Hub handle."""

import atexit
import hashlib
import shutil
import tarfile
import tempfile
import warnings
from pathlib import Path
from typing import Any

from stackgan_tf.system.errors import as_user_error


def load_hub_module(source: str) -> tuple[Any, Path]:
    """Loads a SavedModel.

    Args:
        source: its folder, its `.tar.gz` file, or a TF Hub handle, which is downloaded once.

    Returns:
        The loaded object, and its folder.

    Raises:
        UserError: it cannot be loaded.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='pkg_resources')  # TF Hub's way to ask for a version
        import tensorflow_hub as hub

    with as_user_error(f'no model can be loaded from {source!r}'):
        folder = str(_unpacked(Path(source))) if Path(source).is_file() else hub.resolve(source)
        return hub.load(folder), Path(folder)


def _unpacked(archive: Path) -> Path:
    """A folder with the content of an archive, until the process ends."""
    folder = tempfile.mkdtemp(prefix='stackgan_tf_')
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter='data')
    return Path(folder)


def hash_of_files(folder: Path) -> str:
    """A hash of the content of every file below a folder."""
    hashed = hashlib.sha256()
    for path in sorted(path for path in folder.rglob('*') if path.is_file()):
        with path.open('rb') as file:
            hashed.update(repr((path.relative_to(folder).as_posix(), path.stat().st_size)).encode())
            hashed.update(hashlib.file_digest(file, 'sha256').digest())
    return hashed.hexdigest()[:16]
