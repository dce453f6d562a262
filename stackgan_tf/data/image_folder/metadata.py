"""Captions and boxes of a folder's images: `metadata.jsonl` or `metadata.csv`, as in Hugging Face's image folders."""

import csv
import json
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError

FILE_NAMES = ('metadata.jsonl', 'metadata.csv')
_JSON_COLUMNS = ('captions', 'bbox')
_MAX_PIXEL = 10**9  # no image is that large; also refuses infinity and NaN
_MAX_LINE = 1 << 24  # bytes: files without line breaks would fill the memory


class Annotation(NamedTuple):
    """The captions and the box of an image.

    Attributes:
        captions: may be empty.
        box: x, y, width and height of its object, pixels; None if unknown.
    """

    captions: tuple[str, ...] = ()
    box: tuple[float, ...] | None = None


def together(earlier: Annotation, later: Annotation) -> Annotation:
    """Merges two records of an image: all captions, and the later box."""
    return Annotation(earlier.captions + later.captions, later.box or earlier.box)


def read_metadata(path: Path) -> tuple[dict[str, Annotation], int]:
    """Reads a metadata file: one record an image, or several, whose captions are then put together.

    A record has `file_name`, relative to the metadata file's folder, and if known `text` (a caption) or `captions` (a
    list of captions, in CSV as JSON), and `bbox` ([x, y, width, height] in pixels, in CSV as JSON). Other fields are
    ignored.

    Returns:
        Annotations by file name, and how many records named a file that an earlier one had named.

    Raises:
        UserError: it cannot be read or has the wrong format; the message names the line.
    """
    annotations: dict[str, Annotation] = {}
    repeated = 0
    for line, record in _csv_records(path) if path.suffix == '.csv' else _json_records(path):
        try:
            name, annotation = _name_and_annotation(record)
        except ValueError as error:
            raise _wrong(path, line, error) from error
        if (earlier := annotations.get(name)) is not None:
            repeated += 1
            annotation = together(earlier, annotation)
        annotations[name] = annotation
    return annotations, repeated


def _json_records(path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _wrong(path, number, f'not JSON ({error})') from error


def _csv_records(path: Path) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(_lines(path), strict=True)
    try:
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        if 'file_name' not in reader.fieldnames:
            raise ValueError('the first line must name the columns, among them file_name')
        for record in reader:
            if None in record or None in record.values():
                raise ValueError(f'the first line names {len(reader.fieldnames or ())} columns, here are more or less')
            for column in _JSON_COLUMNS:
                if record.get(column):
                    record[column] = json.loads(record[column])
            yield reader.line_num, {name: value for name, value in record.items() if value}
    except UserError:
        raise
    except (ValueError, RecursionError, csv.Error) as error:
        raise _wrong(path, reader.reader.line_num, error) from error


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():  # a pipe would be waited for
        raise UserError(f'{printable(path)} cannot be read: it is not a file')
    try:
        with path.open('rb') as file:
            for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE + 1), b''), 1):
                if len(line) > _MAX_LINE:
                    raise _wrong(path, number, f'longer than {_MAX_LINE >> 20} MB')
                try:
                    yield line.decode('utf-8-sig' if number == 1 else 'utf-8')
                except UnicodeDecodeError as error:
                    raise _wrong(path, number, 'not UTF-8 text') from error
    except OSError as error:
        raise UserError(f'{printable(path)} cannot be read: {error.strerror}') from error


def _wrong(path: Path, line: int, reason: object) -> UserError:
    return UserError(f'{printable(path)}, line {line}: {reason}')


def _name_and_annotation(record: Any) -> tuple[str, Annotation]:
    name = record.get('file_name') if isinstance(record, dict) else None
    if not isinstance(name, str) or not name:
        raise ValueError('it must have a file_name, for example {"file_name": "1.jpg", "text": "a red bird"}')
    captions = record.get('captions') or record.get('text') or []
    if isinstance(captions, str):
        captions = [captions]
    if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
        raise ValueError('text must be a string and captions a list of strings')
    captions = tuple(caption.strip() for caption in captions if caption.strip())
    return posixpath.normpath(name), Annotation(captions, _box(record.get('bbox')))


def _box(value: Any) -> tuple[float, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(number) for number in value):
        raise ValueError(f'bbox must be [x, y, width, height] in pixels, not {ascii(value)[:80]}')
    return tuple(float(number) for number in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MAX_PIXEL
