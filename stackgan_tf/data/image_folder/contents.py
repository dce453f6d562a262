"""What is in a folder of images, or in archives: images, texts and tables, and what is passed over."""

import dataclasses
import io
import mimetypes
import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stackgan_tf.data.image_decoding import FORMATS, BadImageError, looks_like_an_image
from stackgan_tf.data.image_folder import archives
from stackgan_tf.data.image_folder.archives import Archive, open_archive
from stackgan_tf.data.image_folder.names import SUFFIXES
from stackgan_tf.data.image_folder.stored_embeddings import ARCHIVE, NAMES, TABLE
from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError

TEXTS = ('.txt', '.caption', '.captions', '.json', '.jsonl', '.ndjson', '.csv', '.tsv', '.parquet', '.token')
# Images in formats that are not read. Python's table of types lacks some.
_IMAGE_LIKE = (
    *('.heic', '.heif', '.hif', '.jxl', '.jp2', '.dng', '.cr2', '.cr3', '.nef', '.arw', '.orf', '.rw2', '.raf'),
    *('.psd', '.exr', '.hdr', '.tga', '.dds', '.ico', '.eps', '.pcx', '.qoi'),
)
_LISTED = 10  # names in a message
_OF_A_RUN = {'config.gin', 'environment.json'}
_SAMPLE = re.compile(r'((caption|class)_\w+_)?seed_\d+(_\d+)?\.png|grid(_\d+)?\.png')
# Folders of systems and programs: thumbnails, copies, deleted files.
_FOLDERS = ('@eadir', '__macosx', '#recycle', '$recycle.bin', 'system volume information', 'lost+found', '__pycache__')
_FILES = ('thumbs.db', 'desktop.ini')


class ImageFile(NamedTuple):
    """A file that may be an image.

    Attributes:
        name: relative to the folder, with slashes; bytes that are not UTF-8 are kept as surrogates. The name of a file
            in an archive begins with that of the archive, unless the archive is all there is.
        size: bytes.
        modified: nanoseconds since 1970; in an archive, when that was.
    """

    name: str
    size: int
    modified: int


@dataclasses.dataclass
class Contents:
    """The content of a folder or of archives.

    Attributes:
        root: the folder, or the archive.
        images: files named like images, sorted by name.
        texts: names of files that may hold captions; readers of layouts remove those that they read.
        others: how many other files there are, by suffix.
        hidden: how many files have hidden names, or names of system files.
        passed: folders that hold no data of the user's.
        unreadable: folders and archives that cannot be read, with the reason.
        generated: folders whose images this program generated.
    """

    root: Path
    images: list[ImageFile] = dataclasses.field(default_factory=list)
    texts: set[str] = dataclasses.field(default_factory=set)
    others: Counter[str] = dataclasses.field(default_factory=Counter)
    hidden: int = 0
    passed: Counter[str] = dataclasses.field(default_factory=Counter)
    unreadable: list[str] = dataclasses.field(default_factory=list)
    generated: list[str] = dataclasses.field(default_factory=list)
    _archives: dict[str, Archive] = dataclasses.field(default_factory=dict)

    def where(self, name: str) -> Path | io.BytesIO:
        """The path of a file; its content if it is in an archive.

        Raises:
            BadImageError: its archive is broken.
        """
        for archive, inside in self._in_archive(name):
            return io.BytesIO(archive.read(inside))
        return self.root / name

    def open(self, name: str) -> BinaryIO:
        """Opens a file to read.

        Raises:
            UserError: it cannot be read.
        """
        try:
            place = self.where(name)
            if isinstance(place, io.BytesIO):
                return place
            if not os.path.isfile(place):  # a pipe would be waited for
                raise UserError(f'{printable(place)} cannot be read: it is not a file')
            return place.open('rb')
        except (OSError, BadImageError) as error:
            reason = getattr(error, 'strerror', None) or error
            raise UserError(f'{printable(self.root / name)} cannot be read: {reason}') from error

    def notes(self) -> list[str]:
        """Lines for the user about what is not used."""
        notes = []
        alike = Counter({suffix: count for suffix, count in self.others.items() if _is_image_like(suffix)})
        if alike:
            notes.append(f'not read: {counted(alike)}: images in formats that are not read; convert them to PNG')
        if rest := self.others - alike:
            notes.append(f'passed over: {counted(rest)}')
        if self.hidden:
            notes.append(f'passed over: {self.hidden:,} hidden files or files of the system')
        if self.passed:
            notes.append(f'passed over folders of other programs: {counted(self.passed)}')
        if self.unreadable:
            notes.append(f'{len(self.unreadable):,} folders may not be read: {listed(self.unreadable)}')
        if self.generated:
            notes.append(f'passed over what runs made: {listed(self.generated)}')
        return notes

    def _in_archive(self, name: str) -> Iterator[tuple[Archive, str]]:
        """The archive that a file is in, if it is in one, and its name there."""
        if '' in self._archives:
            yield self._archives[''], name
        elif self._archives:
            for at, letter in enumerate(name):
                if letter == '/' and (archive := self._archives.get(name[:at])) is not None:
                    yield archive, name[at + 1 :]
                    return


def read_contents(root: Path) -> Contents:
    """Lists a folder, with the archives in it if it has no other images, or an archive.

    Raises:
        UserError: it does not exist, or may not be read.
    """
    contents = Contents(root)
    if os.path.isfile(root) and root.name.lower().endswith((*archives.SUFFIXES, *archives.COMPRESSED)):
        _add_archive(contents, '', open_archive(root), root.stat().st_mtime_ns)
    elif not os.path.isdir(root):  # unlike pathlib's, never raises
        what = (
            'is not a folder, nor an archive (.tar, .zip)'
            if os.path.exists(root)
            else 'does not exist, or may not be read'
        )
        raise UserError(f'there are no images: {root} {what}')
    else:
        found = [name for name in _walk(contents) if not _sort(contents, name, None)]
        _add_archives(contents, found)
    contents.images.sort()
    return contents


def _add_archives(contents: Contents, names: list[str]) -> None:
    """Lists the archives of a folder, whose images may be copies of those outside."""
    for name in sorted(names):
        path = contents.root / name
        if (contents.images and not contents._archives) or name.lower().endswith(archives.COMPRESSED):
            contents.others[_suffix(name)] += 1
            continue
        try:
            _add_archive(contents, name, open_archive(path), path.stat().st_mtime_ns)
        except (UserError, OSError) as error:
            contents.unreadable.append(f'{printable(name)} ({error})')


def _add_archive(contents: Contents, name: str, archive: Archive, modified: int) -> None:
    contents._archives[name] = archive
    prefix = f'{name}/' if name else ''
    if archive.damage:
        contents.unreadable.append(f'{printable(name or contents.root)} after {len(archive.sizes):,} files')
    for inside, size in archive.sizes.items():
        folders = inside.split('/')[:-1]
        unwanted = next((folder for folder in folders if _is_passed_over(folder)), None)
        if unwanted is not None:
            contents.passed[unwanted] += 1
        elif not _sort(contents, prefix + inside, (size, modified)):
            contents.others[_suffix(inside)] += 1


def _sort(contents: Contents, name: str, status: tuple[int, int] | None) -> bool:
    """Puts a file where it belongs; whether it does not look like an archive."""
    base, suffix = posixpath.basename(name), _suffix(name)
    if base.lower() in (ARCHIVE, TABLE) or (name == NAMES and (contents.root / TABLE).is_file()):
        return True  # stored embeddings
    if base.lower() in _FILES or base.startswith('.'):
        contents.hidden += 1
    elif suffix in archives.SUFFIXES or name.lower().endswith(archives.COMPRESSED):
        return False
    elif suffix in TEXTS:
        contents.texts.add(name)
    elif (suffix in SUFFIXES and ('AVIF' in FORMATS or suffix != '.avif')) or _has_image(contents, name, suffix):
        contents.images.append(ImageFile(name, *(status or _status(contents.root / name))))
    else:
        contents.others[suffix] += 1
    return True


def _has_image(contents: Contents, name: str, suffix: str) -> bool:
    """Whether a file without a known suffix begins as images do."""
    if suffix and (mimetypes.guess_type(f'x{suffix}')[0] or _is_image_like(suffix)):
        return False
    try:
        with contents.open(name) as file:
            return looks_like_an_image(file.read(16))
    except (UserError, OSError):
        return False


def _status(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    except OSError:  # a link to nowhere, or gone since
        return -1, 0


def _walk(contents: Contents) -> Iterator[str]:
    """The files below a folder, relative to it, without those that are passed over; visits each folder once.

    Follows links. Not `os.walk`, which recurses. Also yields an empty folder that is named like an image.
    """
    visited: set[tuple[int, int]] = set()
    waiting = ['']
    while waiting:
        folder = waiting.pop()
        path = os.path.join(contents.root, folder) if folder else os.fspath(contents.root)
        try:
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(path) as entries:
                inside = sorted((entry.name, _is_folder(entry)) for entry in entries)
        except OSError as error:
            if not folder:
                raise UserError(f'{contents.root} may not be read: {error.strerror}') from error
            contents.unreadable.append(folder)
            continue
        if folder and _is_generated([name for name, is_folder in inside if not is_folder]):
            contents.generated.append(folder)
            continue
        prefix = f'{folder}/' if folder else ''
        for name, is_folder in reversed(inside):
            if is_folder and _is_passed_over(name):
                contents.passed[name] += 1
            elif is_folder:
                waiting.append(prefix + name)
        yield from (prefix + name for name, is_folder in inside if not is_folder)
        if not inside and folder.lower().endswith(SUFFIXES):
            yield folder


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circular link
        return False


def _is_passed_over(folder: str) -> bool:
    return folder.startswith('.') or folder.lower() in _FOLDERS


def _is_generated(names: list[str]) -> bool:
    """Whether a folder is a run, or holds images that `sample` wrote."""
    return set(names) >= _OF_A_RUN or ('grid.png' in names and all(map(_SAMPLE.fullmatch, names)))


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()


def _is_image_like(suffix: str) -> bool:
    return suffix in _IMAGE_LIKE or (mimetypes.guess_type(f'x{suffix}')[0] or '').startswith('image/')


def listed(names: Iterable[str]) -> str:
    """The first of some names, on one line."""
    names = list(names)
    more = ', ...' if len(names) > _LISTED else ''
    return ', '.join(printable(name) for name in names[:_LISTED]) + more


def counted(kinds: Counter[str]) -> str:
    """How many there are of each kind, the most frequent first."""
    most = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    more = f' and {len(most) - _LISTED:,} more kinds' if len(most) > _LISTED else ''
    return ', '.join(f'{count:,} {printable(kind) or "without suffix"}' for kind, count in most[:_LISTED]) + more
