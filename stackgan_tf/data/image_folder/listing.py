"""What a folder of pictures holds: files, splits, classes, captions; nothing is opened but the metadata."""

import dataclasses
import functools
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from stackgan_tf.data.image_folder.metadata import Annotation, find_metadata, read_metadata
from stackgan_tf.user_error import UserError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.gif', '.bmp', '.tif', '.tiff')
SPLITS = ('train', 'test')
_LISTED = 10  # of what is wrong, so many are named


class PictureFile(NamedTuple):
    """A file that may be a picture.

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
    """The pictures of one split.

    Attributes:
        root: the folder.
        files: of this split, in the order of their names.
        class_names: sub-folders that hold the pictures, in order; empty if they are no classes.
        annotations: by name; of pictures that the metadata name.
        notes: lines for the user about what was found.
    """

    root: Path
    files: list[PictureFile]
    class_names: list[str]
    annotations: dict[str, Annotation]
    notes: list[str]

    def label(self, name: str) -> int:
        """The class of a picture, -1 if there are no classes."""
        return self._classes.get(_class_of(name), -1)

    @functools.cached_property
    def _classes(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.class_names)}

    def annotation(self, name: str) -> Annotation:
        """What is known of a picture."""
        return self.annotations.get(name, Annotation())


def list_pictures(root: Path, split: str, test_fraction: float) -> Listing:
    """Finds the pictures of a split.

    With folders `train/` or `test/` in the root, the split is what lies in them; else a hash of each file's name
    decides, so that a picture stays in its split whatever else is added. If all pictures lie in sub-folders, at least
    two, of the root or of `train/` and `test/`, these are classes.

    Args:
        root: the folder.
        split: `train` or `test`.
        test_fraction: the share of `test` where a hash decides, in [0, 1).

    Raises:
        UserError: the folder is missing, may not be read, or has no picture of this split; or its metadata are wrong.
    """
    everything, others = _find(root)
    if not everything:
        also = f'; it has {_counted(others)}' if others else ''
        raise UserError(f'{root} has no pictures ({", ".join(suffix[1:] for suffix in SUFFIXES)}){also}')
    given = [name for name in SPLITS if any(file.name.startswith(f'{name}/') for file in everything)]
    if given:
        files = [file for file in everything if file.name.startswith(f'{split}/')]
        outside = sum(not file.name.startswith(tuple(f'{name}/' for name in SPLITS)) for file in everything)
    else:
        chosen = [_fraction(file.name) < test_fraction for file in everything]
        files = [file for file, is_test in zip(everything, chosen, strict=True) if is_test == (split == 'test')]
        outside = 0
    if not files:
        why = f'no pictures in {split}/' if given else f'no pictures for {split}: ImageFolder.test_fraction decides'
        raise UserError(f'{root} has {why}; {len(everything):,} in all')
    annotations, notes = _annotate(root, given, {file.name for file in everything})
    if outside:
        notes.append(f'{outside:,} pictures outside {"/ and ".join(given)}/ are not used')
    names = {file.name for file in files}
    return Listing(
        root=root,
        files=files,
        class_names=_class_names(file.name for file in everything),
        annotations={name: annotation for name, annotation in annotations.items() if name in names},
        notes=notes,
    )


def shown(name: str) -> str:
    """A file's name on one line of any terminal."""
    return name if name.isprintable() else ascii(name)


def _find(root: Path) -> tuple[list[PictureFile], Counter[str]]:
    """All files named like pictures, sorted by name, and how many others there are, by suffix."""
    if not os.path.isdir(root):  # unlike pathlib's, never raises
        what = 'is no folder' if os.path.exists(root) else 'does not exist, or may not be read'
        raise UserError(f'there are no pictures: {root} {what}')
    files: list[PictureFile] = []
    others: Counter[str] = Counter()
    for path in _walk(root):
        suffix = os.path.splitext(path)[1].lower()
        if suffix not in SUFFIXES:
            others[suffix] += 1
            continue
        try:
            status = os.stat(path)
        except OSError:  # a link to nowhere, or gone since
            files.append(PictureFile(_relative(path, root), -1, 0))
            continue
        if stat.S_ISREG(status.st_mode):
            files.append(PictureFile(_relative(path, root), status.st_size, status.st_mtime_ns))
    files.sort()
    return files, others


def _walk(root: Path) -> Iterator[str]:
    """Paths of all files below a folder but hidden ones; follows links to folders, each folder once."""

    def refuse(error: OSError) -> None:
        raise UserError(f'{shown(str(error.filename))} cannot be read: {error.strerror}') from error

    seen: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(root, onerror=refuse, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        yield from (os.path.join(folder, name) for name in names if not name.startswith('.'))


def _relative(path: str, root: Path) -> str:
    return os.path.relpath(path, root).replace(os.sep, '/')


def _fraction(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], 'big') / 2**64


def _class_of(name: str) -> str:
    """The folder that a picture lies in, below its split; empty if it lies in none."""
    parts = name.split('/')
    if parts[0] in SPLITS:
        parts = parts[1:]
    return parts[0] if len(parts) > 1 else ''


def _class_names(names: Iterable[str]) -> list[str]:
    classes = {_class_of(name) for name in names}
    return sorted(classes) if len(classes) > 1 and '' not in classes else []


def _annotate(root: Path, given: list[str], names: set[str]) -> tuple[dict[str, Annotation], list[str]]:
    """Annotations of all metadata files by the pictures' names, and what there is to say about them."""
    annotations: dict[str, Annotation] = {}
    notes: list[str] = []
    missing: list[str] = []
    for prefix in ('', *(f'{name}/' for name in given)):
        path = find_metadata(root / prefix)
        if path is None:
            continue
        found, repeated = read_metadata(path)
        if repeated:
            notes.append(f'{path} names {repeated:,} pictures again: their captions are put together')
        for name, annotation in found.items():
            if prefix + name in names:
                annotations[prefix + name] = annotation
            else:
                missing.append(prefix + name)
    if missing:
        more = ', ...' if len(missing) > _LISTED else ''
        listed = ', '.join(shown(name) for name in missing[:_LISTED])
        notes.append(f'the metadata name {len(missing):,} pictures that are not there: {listed}{more}')
    if annotations and len(annotations) < len(names):
        notes.append(f'{len(names) - len(annotations):,} pictures are not in the metadata: they have no captions')
    return annotations, notes


def _counted(suffixes: Counter[str]) -> str:
    return ', '.join(f'{count:,} {suffix or "without suffix"}' for suffix, count in suffixes.most_common(3))
