"""Joins images with what texts and tables say about them."""

import os
import posixpath
from collections import Counter

from stackgan_tf.data.image_folder.annotation import Annotation, together
from stackgan_tf.data.image_folder.contents import Contents, listed
from stackgan_tf.data.image_folder.layouts.sidecar_texts import read_sidecar_texts
from stackgan_tf.data.image_folder.layouts.tables import Table, read_tables
from stackgan_tf.data.image_folder.names import ImageNames
from stackgan_tf.data.image_folder.splits import split_in_name
from stackgan_tf.system.console import printable


def annotate(contents: Contents, caption_column: str | None) -> tuple[dict[str, Annotation], list[str]]:
    """The annotations of a folder's images by name, and lines for the user about them.

    Removes the files that are read from `contents.texts`.

    Raises:
        UserError: a table has the wrong format.
    """
    annotations, notes = read_sidecar_texts(contents, caption_column)
    tables, more_notes = read_tables(contents, caption_column)
    notes += more_notes
    images = {file.name for file in contents.images}
    missing: list[str] = []
    other_form: list[tuple[str, str]] = []
    again = set()
    for table in tables:
        found = _resolved(table, contents, images, missing, other_form)
        for image, annotation in found.items():
            if image in annotations:
                again.add(image)
            annotations[image] = together(annotations.get(image, Annotation()), annotation)
    if again:
        notes.append(f'{len(again):,} images are named by several metadata files: their captions are put together')
    if other_form:
        name, image = map(printable, other_form[0])
        notes.append(
            f'{len(other_form):,} images have another form of their name in the tables, such as {name} for {image}'
        )
    if missing:
        side = ''
        if not annotations and images:
            side = f'; the folder has {listed(sorted(images)[:1])}'
        notes.append(f'the metadata name {len(missing):,} images that are not there: {listed(missing)}{side}')
    return annotations, notes


def _resolved(
    table: Table,
    contents: Contents,
    images: set[str],
    missing: list[str],
    other_form: list[tuple[str, str]],
) -> dict[str, Annotation]:
    """The annotations of a table by the names of the images that it means."""
    prefix = posixpath.dirname(table.path)
    paths = {name: _relative(contents, posixpath.join(prefix, name)) for name in table.annotations}
    found: dict[str, Annotation] = {}
    left = []
    for name, path in paths.items():
        if path in images:
            found[path] = together(found.get(path, Annotation()), table.annotations[name])
        else:
            left.append(name)
    if not left:
        return found
    names = ImageNames(_meant(table, images - found.keys(), prefix))
    matches = {name: match for name in left if (match := names.find(name)) is not None}
    meant = Counter(matches.values())
    for name in left:
        match = matches.get(name)
        if match is None or meant[match] > 1:
            missing.append(paths[name])
            continue
        other_form.append((name, match))
        found[match] = table.annotations[name]
    return found


def _meant(table: Table, images: set[str], prefix: str) -> list[str]:
    """The images that a table may mean: those of its folder, if there are some, and of its split.

    Other folders may have images of the same names.
    """
    inside = [image for image in images if image.startswith(f'{prefix}/')] if prefix else []
    splits = ('', table.split)
    return [image for image in inside or images if not table.split or split_in_name(posixpath.dirname(image)) in splits]


def _relative(contents: Contents, path: str) -> str:
    """A path in a table, relative to the folder: normal, and without the folder's own absolute path."""
    path = posixpath.normpath(path)
    for root in (contents.root.absolute(), contents.root.resolve()):
        if path.startswith(f'{root}{os.sep}'):
            return path[len(str(root)) + 1 :]
    return path
