"""The records of a table, from a file of delimited text, JSON, JSON lines or Parquet."""

import contextlib
import csv
import io
import json
import posixpath
import re
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO

from stackgan_tf.data.image_folder.layouts.json_documents import document_records
from stackgan_tf.data.image_folder.layouts.records import CAPTIONS, NAMES, OTHER_CAPTIONS
from stackgan_tf.data.image_folder.names import SUFFIXES
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.text_files import text_encoding

JSON = ('.json', '.jsonl', '.ndjson')
_DELIMITERS = (',', ';', '\t', '|')
_MAX_LINE = 1 << 24  # characters: files without line breaks would fill the memory
_NUMBER = re.compile(r'\s*-?[\d.]+\s*')
_NUMBERED = re.compile(r'#\d+$')  # Flickr8k's captions: 1.jpg#0


class TableError(Exception):
    """A table has the wrong format.

    Attributes:
        place: line or number of a record; empty for the whole file.
    """

    def __init__(self, place: str, reason: object) -> None:
        super().__init__(str(reason))
        self.place = place


class UnknownLayoutError(TableError):
    """A file is in order, but says nothing about images that could be read."""


def table_records(file: BinaryIO, name: str) -> Iterator[tuple[str, Any]]:
    """The records of a table, each with its place in the file.

    Args:
        file: its content.
        name: of the file, whose suffix says its format.

    Raises:
        TableError: it has the wrong format.
        UserError: a package that reads it is not installed.
    """
    suffix = posixpath.splitext(name)[1].lower()
    if suffix == '.parquet':
        return _parquet_records(file)
    if suffix in JSON:
        return _json_records(file, suffix)
    return _delimited_records(file)


def _parquet_records(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise UserError('tables in Parquet need pyarrow: pip install pyarrow') from error
    number = 0
    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=1024):
            for record in batch.to_pylist():
                number += 1
                yield f'record {number}', record
    except (ArrowException, OSError, ValueError, MemoryError) as error:
        raise TableError('', f'not a Parquet file, or broken ({str(error).partition(chr(10))[0]})') from error


def _json_records(file: BinaryIO, suffix: str) -> Iterator[tuple[str, Any]]:
    """Records in lines, else of the whole document, whatever the file is called."""
    number, line, more = _first_line(file)
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError) as error:
        parsed = None
        if suffix != '.json' and line.strip() not in ('[', '{'):
            raise TableError(f'line {number}', f'not JSON ({error})') from error
    if isinstance(parsed, dict) and (more or suffix != '.json'):
        yield from _json_lines(file)
        return
    file.seek(0)
    try:
        document = json.loads(file.read())
    except (ValueError, RecursionError) as error:
        raise TableError('', f'not JSON ({error})') from error
    records = document_records(document)
    if records is None:
        raise UnknownLayoutError('', 'JSON of an unknown layout')
    for number, record in enumerate(records, 1):
        yield f'record {number}', record


def _json_lines(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    for number, line in _lines(file):
        if line.strip():
            try:
                yield f'line {number}', json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TableError(f'line {number}', f'not JSON ({error})') from error


def _delimited_records(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    delimiter = _delimiter(_first_line(file)[1])
    reader = csv.reader(
        (line for _, line in _lines(file)),
        delimiter=delimiter,
        # Quotes are written out in tables with tabs and bars.
        quoting=csv.QUOTE_NONE if delimiter in '\t|' else csv.QUOTE_MINIMAL,
        skipinitialspace=True,
        strict=True,
    )
    try:
        for record in _rows(reader, delimiter):
            yield f'line {reader.line_num}', record
    except csv.Error as error:
        raise TableError(f'line {reader.line_num}', error) from error


def _delimiter(header: str) -> str:
    """The delimiter by which the first line has a column that names images, else the one with the most columns."""
    cells = {each: [cell.strip().strip('"').lower() for cell in header.split(each)] for each in _DELIMITERS}
    return max(cells, key=lambda each: (bool(set(cells[each]) & set(NAMES)), len(cells[each])))


def _rows(reader: Iterator[list[str]], delimiter: str) -> Iterator[dict[str, Any]]:
    first = next((row for row in reader if any(cell.strip() for cell in row)), [])
    columns = [cell.strip() for cell in first]
    # Without a line of names. Captions with commas have more cells; numbers are none.
    if len(first) > 1 and _is_image_name(first[0]) and not _NUMBER.fullmatch(first[-1]):
        columns = ['file_name', 'text']
        yield _record(columns, first, delimiter)
    elif not {column.lower() for column in columns} & set(NAMES):
        raise TableError('line 1', 'the first line must name the columns, among them file_name')
    for row in reader:
        if any(cell.strip() for cell in row):
            yield _record(columns, row, delimiter)


def _record(columns: list[str], row: list[str], delimiter: str) -> dict[str, Any]:
    """A row by column. What is too much belongs to a caption at the end, with commas and without quotes.

    Raises:
        Error: it has too many cells, and the last is no caption.
    """
    if len(row) > len(columns):
        if columns[-1].lower() not in (*CAPTIONS, *OTHER_CAPTIONS):
            raise csv.Error(
                f'{len(row)} cells in {len(columns)} columns: put texts that contain {delimiter!r} in quotes'
            )
        more = delimiter if delimiter == '\t' else f'{delimiter} '
        row = [*row[: len(columns) - 1], more.join(row[len(columns) - 1 :])]
    record = {column: cell.strip() for column, cell in zip(columns, row, strict=False)}
    record[columns[0]] = _NUMBERED.sub('', record[columns[0]])
    return record


def _is_image_name(cell: str) -> bool:
    return _NUMBERED.sub('', cell.strip()).lower().endswith(SUFFIXES)


def _first_line(file: BinaryIO) -> tuple[int, str, bool]:
    """The first line that is not empty, its number, and whether another follows."""
    with contextlib.closing(_lines(file)) as lines:
        filled = ((number, line) for number, line in lines if line.strip())
        return *next(filled, (1, '')), next(filled, None) is not None


def _lines(file: BinaryIO) -> Generator[tuple[int, str]]:
    """The lines of a text file in UTF-8 or UTF-16, whatever ends them, from its beginning."""
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    # Other bytes become surrogates, which no UTF-8 file holds: so the line that has them is known.
    text = io.TextIOWrapper(file, text_encoding(start), errors='surrogateescape', newline='')
    try:
        for number, line in enumerate(iter(lambda: text.readline(_MAX_LINE + 1), ''), 1):
            if len(line) > _MAX_LINE:
                raise TableError(f'line {number}', f'longer than {_MAX_LINE >> 20} MB')
            if not line.isascii() and (bad := re.search('[\udc80-\udcff]', line)):
                byte = ord(bad[0]) - 0xDC00
                raise TableError(f'line {number}', f'not UTF-8 text (byte 0x{byte:02x}): save it as UTF-8')
            yield number, line
    except UnicodeError as error:
        raise TableError('', f'not {text.encoding} text: save it as UTF-8') from error
    finally:
        if not file.closed:
            text.detach()  # else it closes the file
