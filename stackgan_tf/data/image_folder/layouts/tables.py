"""Captions, classes and boxes of images in tables: `metadata.jsonl`, `captions.csv`, `captions_train2017.json`, ..."""

import dataclasses
import posixpath
from collections import defaultdict
from collections.abc import Iterator

from stackgan_tf.data.image_folder.annotation import Annotation, together
from stackgan_tf.data.image_folder.contents import Contents, listed
from stackgan_tf.data.image_folder.layouts.records import Columns
from stackgan_tf.data.image_folder.layouts.table_files import JSON, TableError, UnknownLayoutError, table_records
from stackgan_tf.data.image_folder.splits import split_in_name
from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError

# Tables of these names must be readable; others are read if their columns are known.
_OURS = ('metadata', 'captions', 'caption')
_SUFFIXES = ('.json', '.jsonl', '.ndjson', '.csv', '.tsv', '.parquet', '.txt', '.token')
_MOST_OTHERS = 20  # in one folder: more are records of single images


@dataclasses.dataclass
class Table:
    """What a table says.

    Attributes:
        path: of its file, relative to the folder of images.
        annotations: by the names of images, as the table writes them.
        split: that its name says; may be empty.
        repeated: how many records name an image that an earlier one named.
        short: the rows that have fewer cells than there are columns.
    """

    path: str
    annotations: dict[str, Annotation]
    split: str
    repeated: int
    short: list[str]


def read_tables(contents: Contents, caption_column: str | None) -> tuple[list[Table], list[str]]:
    """The tables of a folder; removes them from `contents.texts`.

    Returns:
        The tables, and lines for the user.

    Raises:
        UserError: a table called `metadata` or `captions` cannot be read, or there are two called `metadata` in one
            folder.
    """
    tables: list[Table] = []
    notes: list[str] = []
    seen: dict[str, None] = {}
    failed: list[str] = []
    for path, must in _candidates(contents):
        columns = Columns(caption_column)
        try:
            table = _read(contents, path, columns, must)
        except TableError as error:
            if must and not isinstance(error, UnknownLayoutError):
                place = f', {error.place}' if error.place else ''
                raise UserError(f'{printable(contents.root / path)}{place}: {error}') from error
            if not path.lower().endswith('.txt'):
                failed.append(f'{path} ({error})')
            continue
        seen |= columns.seen
        contents.texts.discard(path)
        tables.append(table)
        if unused := columns.unused():
            notes.append(f'{printable(path)}: columns that are not used: {listed(unused)}')
        if table.short:
            notes.append(f'{printable(path)}: {len(table.short):,} rows have too few cells: {listed(table.short)}')
        if table.repeated:
            notes.append(f'{printable(path)} names {table.repeated:,} images again: their captions are put together')
    if caption_column is not None and tables and caption_column.lower() not in {each.lower() for each in seen}:
        raise UserError(f'ImageFolder.caption_column = {caption_column!r}: the tables have {listed(seen)}')
    if failed:
        notes.append(f'{len(failed):,} tables are not read: {listed(failed)}')
    return tables, notes


def _candidates(contents: Contents) -> Iterator[tuple[str, bool]]:
    """The files that may be tables, each with whether it must be one."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in sorted(contents.texts):
        if path.lower().endswith(_SUFFIXES):
            by_folder[posixpath.dirname(path)].append(path)
    for folder, paths in sorted(by_folder.items()):
        stems = {path: posixpath.splitext(posixpath.basename(path))[0].lower() for path in paths}
        both = [path for path, stem in stems.items() if stem == 'metadata']
        if len(both) > 1:
            names = ' and '.join(posixpath.basename(path) for path in both)
            raise UserError(f'{printable(contents.root / folder)} has both {names}: keep one')
        ours = [path for path, stem in stems.items() if stem in _OURS and not path.lower().endswith('.txt')]
        ours += [path for path in paths if stems[path].startswith('captions') and path not in ours]
        others = [path for path in paths if path not in ours]
        yield from ((path, not path.lower().endswith('.txt')) for path in ours)
        if not ours and len(others) <= _MOST_OTHERS:
            yield from ((path, False) for path in others)


def _read(contents: Contents, path: str, columns: Columns, must: bool) -> Table:
    annotations: dict[str, Annotation] = {}
    repeated, short = 0, []
    with contents.open(path) as file:
        for place, record in table_records(file, path):
            try:
                name, annotation = columns.name_and_annotation(record)
            except ValueError as error:
                raise TableError(place, error) from error
            if len(record) < len(columns.seen) and not path.lower().endswith((*JSON, '.parquet')):
                short.append(place)
            if (earlier := annotations.get(name)) is not None:
                repeated += 1
                annotation = together(earlier, annotation)
            annotations[name] = annotation
    if not must and not columns.names_images(columns.seen):
        raise UnknownLayoutError('', f'no column names images and another captions: {listed(columns.seen)}')
    return Table(path, annotations, split_in_name(path), repeated, short)
