"""Lists a folder of images, or archives: files, splits, classes, captions. Only texts and tables are read."""

import dataclasses
import hashlib
import io
import os
import posixpath
from pathlib import Path

from stackgan_tf.data.image_folder.annotate import annotate
from stackgan_tf.data.image_folder.annotation import Annotation
from stackgan_tf.data.image_folder.classes import Classes, by_folders, labelled
from stackgan_tf.data.image_folder.contents import Contents, ImageFile, counted, read_contents
from stackgan_tf.data.image_folder.names import SUFFIXES
from stackgan_tf.data.image_folder.splits import SPLITS, Division, divide
from stackgan_tf.system.errors import UserError


@dataclasses.dataclass(frozen=True)
class Listing:
    """The images of one split.

    Attributes:
        root: the folder, or the archive.
        files: of this split, in the order of their names.
        labels: the class of each, -1 if it has none.
        class_names: the classes in order; empty if there are none.
        annotations: of the images that the folder says something about, by name.
        notes: lines for the user about what was found.
        captioned: how many images of all splits have captions.
        contents: opens the files.
    """

    root: Path
    files: list[ImageFile]
    labels: list[int]
    class_names: list[str]
    annotations: dict[str, Annotation]
    notes: list[str]
    captioned: int
    contents: Contents

    def annotation(self, name: str) -> Annotation:
        """The captions and box of an image; empty if there are none."""
        return self.annotations.get(name, Annotation())

    def where(self, file: ImageFile) -> Path | io.BytesIO:
        """The path of a file, or its content if it is in an archive; see `Contents.where`."""
        return self.contents.where(file.name)

    def fingerprint(self) -> str:
        """A hash of the names and sizes of the files, wherever the folder is."""
        hashed = hashlib.sha256()
        for file in self.files:
            hashed.update(repr((os.fsencode(file.name), file.size)).encode())
        return hashed.hexdigest()[:16]


def list_images(
    root: Path,
    split: str,
    test_fraction: float,
    classes: bool | None = None,
    caption_column: str | None = None,
) -> Listing:
    """Finds the images of a split.

    With a folder `train/` (or of a like name) and `test/` or `val/`, the split is what lies in them; else a column
    `split` of a table decides, else a hash of each file's name, so that an image stays in its split whatever else is
    added.

    Args:
        root: the folder, or an archive.
        split: `train` or `test`.
        test_fraction: the share of `test` where a hash decides, in [0, 1).
        classes: whether sub-folders and labels are classes; None: if they look so.
        caption_column: the column of tables that holds captions; None: those that are called so.

    Raises:
        UserError: the folder is missing, may not be read, or has no image of this split; or a table is wrong.
    """
    if split not in SPLITS:
        raise UserError(f'ImageFolder.split = {split!r} must be {" or ".join(map(repr, SPLITS))}')
    contents = read_contents(root)
    if not contents.images:
        contents.others.update(_suffix(name) for name in contents.texts)
        also = f'; it has {counted(contents.others)}' if contents.others else ''
        also += ''.join(f'; {note}' for note in contents.notes() if not note.startswith('passed over: '))
        if any(name.lower().endswith('.parquet') for name in contents.texts):
            also += '; images inside Parquet files are not read: save them as files'
        raise UserError(f'{root} has no images ({", ".join(suffix[1:] for suffix in SUFFIXES)}){also}')
    annotations, notes = annotate(contents, caption_column)
    contents.others.update(_suffix(name) for name in contents.texts)
    notes = contents.notes() + notes
    division = divide(contents.images, annotations, test_fraction)
    found = _classes(division, annotations, classes)
    notes += division.notes + found.notes
    captioned = sum(bool(annotations[file.name].captions) for file in division.images if file.name in annotations)
    if captioned and captioned < len(division.images):
        notes.append(f'{len(division.images) - captioned:,} of {len(division.images):,} images have no caption')
    chosen = [at for at, is_in in enumerate(division.trains if split == 'train' else division.tests) if is_in]
    if not chosen:
        total = f'{len(division.images):,} in all'
        raise UserError(f'{root} has no images for {split}: ImageFolder.test_fraction decides; {total}')
    files = [division.images[at] for at in chosen]
    return Listing(
        root=root,
        files=files,
        labels=[found.labels[at] for at in chosen],
        class_names=found.names,
        annotations={file.name: annotations[file.name] for file in files if file.name in annotations},
        notes=notes,
        captioned=captioned,
        contents=contents,
    )


def _classes(division: Division, annotations: dict[str, Annotation], wanted: bool | None) -> Classes:
    """Classes by the labels of tables, else by sub-folders."""
    named = [annotations[file.name].label if file.name in annotations else '' for file in division.images]
    found = labelled(named, wanted)
    if found is not None:
        return found
    captioned = any(annotation.captions for annotation in annotations.values())
    return by_folders(division.below, division.trains, wanted, captioned)


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()
