"""Unpacks LSUN's databases from their zip files, because LMDB maps a file into memory."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import tensorflow_datasets as tfds
from tqdm import tqdm

from stackgan_tf.data.published.lsun_scenes.database import FILE
from stackgan_tf.formats.archive_errors import archive_errors
from stackgan_tf.system.atomic_files import remove_leftovers, whole_file
from stackgan_tf.system.cache_entry import gigabytes
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.locks import open_lock, take_lock

_CHUNK = 1 << 22


def unpacked(path: Path, downloads: tfds.download.DownloadManager) -> Path:
    """The folder of a database.

    TFDS's own `extract` reads a file whole into memory, so it cannot unpack the 46 GB of the bedrooms.

    Args:
        path: of the folder, or of its zip file, which is unpacked below TFDS's folder for downloads, once.
        downloads: names that folder.

    Returns:
        The folder that holds `data.mdb`.

    Raises:
        UserError: the zip file is broken or has no database, or there is no room for it.
    """
    if path.is_dir():
        return path
    folder = Path(downloads.download_dir) / 'extracted' / path.stem
    with archive_errors(path):
        archive = zipfile.ZipFile(path)
    with archive:
        for member in archive.infolist():
            if PurePosixPath(member.filename).name == FILE:
                folder.mkdir(parents=True, exist_ok=True)
                with open_lock(folder / '.lock') as lock:
                    take_lock(lock, wait=True)  # another process may be unpacking it
                    remove_leftovers(folder)
                    _unpack(archive, member, folder)
                return folder
    raise UserError(f'{path} has no {FILE}: it is not the published file')


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / FILE
    if target.is_file() and target.stat().st_size == member.file_size:
        return
    free = shutil.disk_usage(folder).free
    needed = f'{gigabytes(member.file_size)} in {folder}'
    if free < member.file_size:
        raise UserError(f'unpacking {archive.filename} takes {needed}, where {gigabytes(free)} are free: unpack it')
    say(f'Unpacking {archive.filename}: {needed}, once; when all is prepared, it can be removed')
    with (
        whole_file(target) as copy,
        tqdm(total=member.file_size, unit='B', unit_scale=True, disable=None, leave=False) as progress,
    ):
        for chunk in _chunks(archive, member):
            copy.write(chunk)
            progress.update(len(chunk))


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive_errors(archive.filename or FILE), archive.open(member) as source:
        while chunk := source.read(_CHUNK):
            yield chunk
