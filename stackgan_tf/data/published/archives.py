"""The files that a data set was published as: found where the user put them, or downloaded; read without unpacking."""

import dataclasses
import hashlib
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import tensorflow_datasets as tfds
from tqdm import tqdm

from stackgan_tf.formats.archive_errors import ARCHIVE_ERRORS, archive_errors, reason_of
from stackgan_tf.system.console import printable, say
from stackgan_tf.system.errors import UserError

_CHUNK = 1 << 22
_MOST = 1 << 30  # bytes of an image, or of a file of captions
_NAME_IT = 'IMAGE_ROOT of the recipe, or --manual_dir of tools/prepare_dataset.py, names another folder'


@dataclasses.dataclass(frozen=True)
class Archive:
    """A published file.

    Attributes:
        name: of the file, as published.
        size: bytes.
        folder: what it unpacks to, which is read where the file itself is missing.
        holds: a pattern for the content of that folder; other data sets may have a folder of the same name.
        sha256: in hexadecimal; empty where it is not known.
        url: from where it can be downloaded; empty where it must be fetched by hand.
    """

    name: str
    size: int
    folder: str
    holds: str
    sha256: str = ''
    url: str = ''

    def find(self, manual_dir: Path) -> Path | None:
        """The file, else the unpacked folder, in the user's folder or up to two levels deeper; None if missing."""
        for path in near(manual_dir, self.name):
            if path.is_file():
                return path
        unpacked = (path for path in near(manual_dir, self.folder) if path.is_dir() and any(path.glob(self.holds)))
        return next(unpacked, None)

    def fetch(self, downloads: tfds.download.DownloadManager) -> Path:
        """The path of the archive: in the user's folder (`manual_dir`), or downloaded.

        Raises:
            UserError: it must be fetched by hand, and was not.
        """
        try:
            found = self.find(user_folder(downloads, f'put {self.name} there, or its {self.folder}/'))
        except UserError:
            if not self.url:
                raise
            found = None
        if found is None and self.url:
            say(f'Downloading {self.name}, {self.size / 1e9:.1f} GB, from {self.url} ...')
            return Path(downloads.download(self.url))
        if found is None:
            raise UserError(
                f'{self.name} is not in {downloads.manual_dir}: put it there, or its {self.folder}/ ({_NAME_IT})'
            )
        if not found.is_dir():
            self.verify(found)
        return found

    def verify(self, path: Path) -> None:
        """Prints a message if a file is not the published one; it is read all the same.

        Raises:
            UserError: it is shorter than published.
        """
        size = path.stat().st_size
        if size < self.size and not _is_whole(path):
            raise UserError(f'{path} is cut short: {size:,} of {self.size:,} bytes; fetch it again')
        if size != self.size:
            say(f'{path} is not the published file, of {self.size:,} bytes: it is read all the same')
        elif self.sha256 and _sha256(path) != self.sha256:
            say(f'{path} is not the published file, of SHA-256 {self.sha256}: it is read all the same')


def near(folder: Path, name: str) -> Iterator[Path]:
    """Paths called `name` (one part or several) in a folder and up to two levels deeper, the nearest first."""
    for above in ('', '*/', '*/*/'):
        yield from sorted(folder.glob(above + name))


def user_folder(downloads: tfds.download.DownloadManager, needs: str) -> Path:
    """The folder where the user puts files: TFDS's `manual_dir`.

    Args:
        downloads: of the preparation.
        needs: what to do if nothing is there.

    Raises:
        UserError: it does not exist, or is empty.
    """
    try:
        return Path(downloads.manual_dir)
    except AssertionError as error:  # its text continues with the instructions
        raise UserError(f'{_folder_in(error)} is not there or empty: {needs} ({_NAME_IT})') from error


def _folder_in(error: AssertionError) -> str:
    """The folder that TFDS complains about."""
    words = str(error).split()
    return next((word for word in words if '/' in word), 'the folder for the files')


def members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """The wanted files of a folder, of a tar file (compressed or not) or of a zip file, in its order.

    Args:
        path: of the folder or archive.
        wanted: whether to read a file, by its path inside, with `/` between the parts.

    Yields:
        Path inside, content.

    Raises:
        UserError: it is not an archive, or broken.
    """
    with archive_errors(path):
        if path.is_dir():
            yield from _files(path, wanted)
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from _zipped(path, archive, wanted)
        else:
            with tarfile.open(path) as archive:
                for member in archive:
                    if (
                        member.isfile()
                        and wanted(member.name.removeprefix('./'))
                        and _fits(path, member.name, member.size)
                    ):
                        yield member.name.removeprefix('./'), _content(archive, member)


def _files(folder: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    for file in sorted(file for file in folder.rglob('*') if file.is_file()):
        name = file.relative_to(folder).as_posix()
        if wanted(name):
            try:
                content = file.read_bytes()
            except OSError as error:
                say(f'{printable(file)} cannot be read and is left out: {error.strerror}')
                continue
            yield name, content


def _zipped(path: Path, archive: zipfile.ZipFile, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    for name in archive.namelist():
        if not name.endswith('/') and wanted(name) and _fits(path, name, archive.getinfo(name).file_size):
            try:
                content = archive.read(name)
            except ARCHIVE_ERRORS as error:
                if getattr(error, 'errno', None):  # the disk is damaged, not the archive
                    raise
                say(f'{path}: {printable(name)} cannot be read and is left out: {reason_of(error)}')
                continue
            yield name, content


def _fits(path: Path, name: str, size: int) -> bool:
    """Whether a file of an archive is small enough to be read into memory; it may claim and unpack to any size."""
    if size > _MOST:
        say(f'{path}: {printable(name)} is left out: it has {size / 1e9:.0f} GB')
    return size <= _MOST


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file: IO[bytes] | None = archive.extractfile(member)
    assert file is not None  # it is a file
    content = file.read()
    if len(content) < member.size:
        raise EOFError(f'{member.name} is cut short')
    return content


def count_and_bytes(path: Path) -> tuple[int, int]:
    """The number of files in a folder or zip file, and their total size in bytes.

    Raises:
        UserError: it is not a zip file, or broken.
    """
    if path.is_dir():
        sizes = [file.stat().st_size for file in path.rglob('*') if file.is_file()]
    else:
        with archive_errors(path), zipfile.ZipFile(path) as archive:
            sizes = [member.file_size for member in archive.infolist() if not member.is_dir()]
    return len(sizes), sum(sizes)


def _is_whole(path: Path) -> bool:
    """Whether an archive that is shorter than published can be opened and ends as it should."""
    if zipfile.is_zipfile(path):  # its directory is at its end
        return True
    try:
        with tarfile.open(path) as archive:
            return all(True for _ in archive)
    except ARCHIVE_ERRORS:
        return False


def _sha256(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open('rb') as file, tqdm(total=path.stat().st_size, unit='B', unit_scale=True, disable=None) as progress:
        progress.set_description(f'Checking {path.name}')
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
            progress.update(len(chunk))
    return hashed.hexdigest()
