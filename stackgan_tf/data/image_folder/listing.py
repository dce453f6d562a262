"""Lists a folder of images: files, splits, classes, captions. Only the metadata are opened."""

import dataclasses
import functools
import hashlib
import os
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from stackgan_tf.data.image_folder import stored_embeddings
from stackgan_tf.data.image_folder.metadata import FILE_NAMES, Annotation, read_metadata, together
from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.gif', '.bmp', '.tif', '.tiff')
SPLITS = ('train', 'test')
_LISTED = 10  # names in a message
_OF_A_RUN = ('config.gin', 'environment.json')


class ImageFile(NamedTuple):
    """A file that may be an image.

    Attributes:
        name: relative to the folder, with slashes; bytes that are not UTF-8 are kept as surrogates.
        size: bytes.
        modified: nanoseconds since 1970.
    """

    name: str
    size: int
    modified: int


@dataclasses.dataclass(frozen=True)
class Listing:
    """The images of one split.

    Attributes:
        root: the folder.
        files: of this split, in the order of their names.
        class_names: sub-folders that hold the images, in order; empty if there are no classes.
        annotations: of the images that the metadata name, by name.
        notes: lines for the user about what was found.
    """

    root: Path
    files: list[ImageFile]
    class_names: list[str]
    annotations: dict[str, Annotation]
    notes: list[str]

    def label(self, name: str) -> int:
        """The class of an image, -1 if there are no classes."""
        return self._classes.get(_class_of(name), -1)

    @functools.cached_property
    def _classes(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.class_names)}

    def annotation(self, name: str) -> Annotation:
        """The captions and box of an image; empty if there are none."""
        return self.annotations.get(name, Annotation())


def list_images(root: Path, split: str, test_fraction: float) -> Listing:
    """Finds the images of a split.

    With folders `train/` or `test/` in the root, the split is what lies in them; else a hash of each file's name
    decides, so that an image stays in its split whatever else is added. If all images lie in sub-folders, at least
    two, of the root or of `train/` and `test/`, these are classes.

    Args:
        root: the folder.
        split: `train` or `test`.
        test_fraction: the share of `test` where a hash decides, in [0, 1).

    Raises:
        UserError: the folder is missing, may not be read, or has no image of this split; or its metadata are wrong.
    """
    if split not in SPLITS:
        raise UserError(f'ImageFolder.split = {split!r} must be {" or ".join(map(repr, SPLITS))}')
    found = _find(root)
    if not found.images:
        also = f'; it has {_counted(found.others)}' if found.others else ''
        raise UserError(f'{root} has no images ({", ".join(suffix[1:] for suffix in SUFFIXES)}){also}')
    everything, notes = found.images, found.notes()
    given = [name for name in SPLITS if any(file.name.startswith(f'{name}/') for file in everything)]
    if given:
        everything = [file for file in everything if file.name.startswith(tuple(f'{name}/' for name in given))]
        files = [file for file in everything if file.name.startswith(f'{split}/')]
        if outside := len(found.images) - len(everything):
            notes.append(f'{outside:,} images outside {"/ and ".join(given)}/ are not used')
    else:
        chosen = [_fraction(file.name) < test_fraction for file in everything]
        files = [file for file, is_test in zip(everything, chosen, strict=True) if is_test == (split == 'test')]
    if not files:
        why = f'no images in {split}/' if given else f'no images for {split}: ImageFolder.test_fraction decides'
        raise UserError(f'{root} has {why}; {len(everything):,} in all')
    annotations, more_notes = _annotate(root, found.metadata, {file.name for file in everything})
    notes += more_notes
    names = {file.name for file in files}
    return Listing(
        root=root,
        files=files,
        class_names=_class_names(file.name for file in everything),
        annotations={name: annotation for name, annotation in annotations.items() if name in names},
        notes=notes,
    )


@dataclasses.dataclass
class _Found:
    """The content of a folder.

    Attributes:
        images: files named like images, sorted by name.
        others: how many other files there are, by suffix.
        metadata: the metadata files, relative to the folder.
        unreadable: sub-folders that may not be read.
        runs: sub-folders that are run directories, whose images are generated.
    """

    images: list[ImageFile] = dataclasses.field(default_factory=list)
    others: Counter[str] = dataclasses.field(default_factory=Counter)
    metadata: list[str] = dataclasses.field(default_factory=list)
    unreadable: list[str] = dataclasses.field(default_factory=list)
    runs: list[str] = dataclasses.field(default_factory=list)

    def notes(self) -> list[str]:
        """Lines for the user about what is not used."""
        notes = []
        if self.others:
            notes.append(f'passed over: {_counted(self.others)}')
        if self.unreadable:
            notes.append(f'{len(self.unreadable):,} folders may not be read: {listed(self.unreadable)}')
        if self.runs:
            notes.append(f'passed over what runs made: {listed(self.runs)}')
        return notes


def _find(root: Path) -> _Found:
    if not os.path.isdir(root):  # unlike pathlib's, never raises
        what = 'is not a folder' if os.path.exists(root) else 'does not exist, or may not be read'
        raise UserError(f'there are no images: {root} {what}')
    found = _Found()
    for path in _walk(root, found):
        suffix = os.path.splitext(path)[1].lower()
        if os.path.basename(path) in FILE_NAMES:
            found.metadata.append(_relative(path, root))
            continue
        if os.path.basename(path) == stored_embeddings.FILE_NAME:
            continue
        if suffix not in SUFFIXES:
            found.others[suffix] += 1
            continue
        try:
            status = os.stat(path)
            size, modified = status.st_size, status.st_mtime_ns
        except OSError:  # a link to nowhere, or gone since
            size, modified = -1, 0
        found.images.append(ImageFile(_relative(path, root), size, modified))
    found.images.sort()
    found.metadata.sort()
    return found


def _walk(root: Path, found: _Found) -> Iterator[str]:
    """The files below a folder, without hidden ones and those of runs; follows links, and visits each folder once.

    Not `os.walk`, which recurses. Also yields an empty folder that is named like an image.
    """
    visited: set[tuple[int, int]] = set()
    waiting = [os.fspath(root)]
    while waiting:
        folder = waiting.pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                inside = sorted((entry.name, _is_folder(entry)) for entry in entries if not entry.name.startswith('.'))
        except OSError as error:
            if folder == os.fspath(root):
                raise UserError(f'{root} may not be read: {error.strerror}') from error
            found.unreadable.append(_relative(folder, root))
            continue
        if folder != os.fspath(root) and {(name, False) for name in _OF_A_RUN} <= set(inside):
            found.runs.append(_relative(folder, root))
            continue
        waiting += [os.path.join(folder, name) for name, is_folder in reversed(inside) if is_folder]
        yield from (os.path.join(folder, name) for name, is_folder in inside if not is_folder)
        if not inside and folder.lower().endswith(SUFFIXES):
            yield folder


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circular link
        return False


def _relative(path: str, root: Path) -> str:
    return os.path.relpath(path, root).replace(os.sep, '/')


def _fraction(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], 'big') / 2**64


def _class_of(name: str) -> str:
    """The folder that an image lies in, below its split; empty if it lies in none."""
    parts = name.split('/')
    if parts[0] in SPLITS:
        parts = parts[1:]
    return parts[0] if len(parts) > 1 else ''


def _class_names(names: Iterable[str]) -> list[str]:
    classes = {_class_of(name) for name in names}
    return sorted(classes) if len(classes) > 1 and '' not in classes else []


def _annotate(root: Path, files: list[str], names: set[str]) -> tuple[dict[str, Annotation], list[str]]:
    """The annotations of the metadata files by image name, and lines for the user about them.

    Raises:
        UserError: a folder has two metadata files, or one has the wrong format.
    """
    annotations: dict[str, Annotation] = {}
    notes: list[str] = []
    missing: list[str] = []
    prefixes: set[str] = set()
    again = 0
    for file in files:
        prefix = file[: file.rfind('/') + 1]
        if prefix in prefixes:
            raise UserError(f'{printable(root / prefix)} has both {" and ".join(FILE_NAMES)}: keep one')
        prefixes.add(prefix)
        found, repeated = read_metadata(root / file)
        if repeated:
            notes.append(f'{printable(root / file)} names {repeated:,} images again: their captions are put together')
        for name, annotation in found.items():
            path = posixpath.normpath(prefix + name)  # relative to the metadata's folder, maybe above it
            if path not in names:
                missing.append(path)
                continue
            if path in annotations:
                again += 1
            annotations[path] = together(annotations.get(path, Annotation()), annotation)
    if again:
        notes.append(f'{again:,} images are named by several metadata files: their captions are put together')
    if missing:
        notes.append(f'the metadata name {len(missing):,} images that are not there: {listed(missing)}')
    if annotations and len(annotations) < len(names):
        notes.append(f'{len(names) - len(annotations):,} images are not in the metadata: they have no captions')
    return annotations, notes


def listed(names: list[str]) -> str:
    """The first of a list of names, on one line."""
    more = ', ...' if len(names) > _LISTED else ''
    return ', '.join(printable(name) for name in names[:_LISTED]) + more


def _counted(suffixes: Counter[str]) -> str:
    most = sorted(suffixes.items(), key=lambda item: (-item[1], item[0]))[:3]
    return ', '.join(f'{count:,} {printable(suffix) or "without suffix"}' for suffix, count in most)
