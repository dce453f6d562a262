"""Files inside tar and zip archives, read in place at any position, by several threads at once."""

import abc
import os
import tarfile
import zipfile
from pathlib import Path

from stackgan_tf.data.image_decoding import BadImageError
from stackgan_tf.formats.archive_errors import ARCHIVE_ERRORS, reason_of
from stackgan_tf.system.errors import UserError

SUFFIXES = ('.tar', '.zip')
# Archives that can only be read from their beginning.
COMPRESSED = ('.tar.gz', '.tgz', '.tar.bz2', '.tar.xz', '.tar.zst', '.7z', '.rar')
_MOST = 1 << 30  # bytes of one file, which may claim and unpack to any size


class Archive(abc.ABC):
    """The files of an archive.

    Attributes:
        sizes: bytes of each file, by its name inside, with slashes.
        damage: why the archive could not be read to its end; empty if it could.
    """

    sizes: dict[str, int]
    damage: str = ''

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            BadImageError: it is broken or too large.
        """
        if self.sizes[name] > _MOST:
            raise BadImageError(f'more than {_MOST >> 30} GB')
        try:
            content = self._content(name)
        except ARCHIVE_ERRORS as error:
            raise BadImageError(reason_of(error), may_pass=getattr(error, 'errno', None) is not None) from error
        if len(content) < self.sizes[name]:
            raise BadImageError('its archive is cut short')
        return content

    @abc.abstractmethod
    def _content(self, name: str) -> bytes: ...


def open_archive(path: Path) -> Archive:
    """Opens an archive and lists its files.

    Raises:
        UserError: it is not an archive, or compressed as a whole.
    """
    try:
        return _Zip(path) if zipfile.is_zipfile(path) else _Tar(path)
    except ARCHIVE_ERRORS as error:
        with path.open('rb') as file:
            compressed = file.read(4).startswith((b'\x1f\x8b', b'BZh', b'\xfd7z', b'\x28\xb5\x2f\xfd'))
        if compressed:
            raise UserError(f'{path} is compressed as a whole, so it cannot be read in place: unpack it') from error
        raise UserError(f'{path} is not a tar or zip archive, or broken ({reason_of(error)})') from error


class _Tar(Archive):
    def __init__(self, path: Path) -> None:
        self.sizes = {}
        self._places: dict[str, int] = {}
        with tarfile.open(path, 'r:') as archive:
            try:
                while (member := archive.next()) is not None:
                    archive.members.clear()  # type: ignore[attr-defined]  # else it keeps all of them
                    if member.isfile() and not member.issparse():
                        name = _name(member.name)
                        self.sizes[name], self._places[name] = member.size, member.offset_data
            except ARCHIVE_ERRORS as error:
                self.damage = reason_of(error)
        self._file = path.open('rb', buffering=0)

    def _content(self, name: str) -> bytes:
        return os.pread(self._file.fileno(), self.sizes[name], self._places[name])


class _Zip(Archive):
    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        self._members = {_name(info.filename): info for info in self._archive.infolist() if not info.is_dir()}
        self.sizes = {name: info.file_size for name, info in self._members.items()}

    def _content(self, name: str) -> bytes:
        return self._archive.read(self._members[name])


def _name(name: str) -> str:
    return name.replace('\\', '/').removeprefix('./').lstrip('/')
