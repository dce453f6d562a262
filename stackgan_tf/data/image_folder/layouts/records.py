"""A record of a table: which of its fields name the image, and which are captions, class, box and split."""

import ast
import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from stackgan_tf.data.image_folder.annotation import Annotation
from stackgan_tf.data.image_folder.splits import split_of_word

NAMES = (
    *('file_name', 'filename', 'file', 'image', 'image_name', 'image_file', 'image_path', 'img', 'img_name'),
    *('img_path', 'path', 'filepath', 'file_path', 'image_id', 'name', 'id', 'key', '__key__'),
)
CAPTIONS = ('text', 'texts', 'caption', 'captions')  # which are put together
# The first of these that a record has, if it has none of those.
OTHER_CAPTIONS = (*('prompt', 'description', 'sentence', 'sentences', 'comment', 'alt_text', 'alt', 'title', 'tags'),)
LABELS = ('label', 'labels', 'class', 'class_name', 'class_label', 'category')
BOX, SPLIT = 'bbox', 'split'
_MAX_PIXEL = 10**9  # no image is that large; also refuses infinity and NaN


@dataclasses.dataclass
class Columns:
    """The meaning of a table's columns.

    Attributes:
        caption_column: the only one that holds captions; None: those that are called so.
        seen: all columns.
        used: those that were of use.
    """

    caption_column: str | None = None
    seen: dict[str, None] = dataclasses.field(default_factory=dict)
    used: set[str] = dataclasses.field(default_factory=set)

    def name_and_annotation(self, record: Any) -> tuple[str, Annotation]:
        """The image that a record names, and what it says about it.

        Raises:
            ValueError: it names none, or a field has the wrong type.
        """
        fields = record if isinstance(record, Mapping) else {}
        by_lower = {str(key).strip().lower(): (key, value) for key, value in fields.items() if not _is_empty(value)}
        self.seen.update(dict.fromkeys(str(key) for key in fields))
        name = next((found for key in NAMES if (found := self._name(by_lower, key))), None)
        if name is None:
            raise ValueError('it must have a file_name, for example {"file_name": "1.jpg", "text": "a red bird"}')
        box = by_lower.get(BOX)
        split = by_lower.get(SPLIT, ('', ''))[1]
        annotation = Annotation(
            tuple(self._captions(by_lower)),
            None if box is None else _box(box[1]),
            next((found for key in LABELS if (found := self._label(by_lower, key))), ''),
            split_of_word(split) if isinstance(split, str) else '',
        )
        self.used.update(str(by_lower[key][0]) for key in (BOX, SPLIT) if key in by_lower)
        return name, annotation

    def names_images(self, columns: Iterable[str]) -> bool:
        """Whether one of some columns names images, and another says something about them."""
        lower = {column.strip().lower() for column in columns}
        says = {*CAPTIONS, *OTHER_CAPTIONS, *LABELS, BOX, (self.caption_column or '').lower()}
        return bool(lower & set(NAMES) and lower & says)

    def unused(self) -> list[str]:
        """The columns that were of no use."""
        return [column for column in self.seen if column not in self.used]

    def _name(self, by_lower: Mapping[str, tuple[str, Any]], key: str) -> str | None:
        column, value = by_lower.get(key, ('', None))
        if isinstance(value, Mapping):  # an image of Hugging Face's `datasets`
            value = value.get('path')
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return None
        self.used.add(str(column))
        return value

    def _captions(self, by_lower: Mapping[str, tuple[str, Any]]) -> list[str]:
        if self.caption_column is not None:
            keys = [key for key in by_lower if key == self.caption_column.strip().lower()]
        else:
            keys = [key for key in CAPTIONS if key in by_lower]
            keys = keys or [key for key in OTHER_CAPTIONS if key in by_lower][:1]
        found = []
        for key in keys:
            column, value = by_lower[key]
            self.used.add(str(column))
            found += _texts(value)
        return list(dict.fromkeys(found))

    def _label(self, by_lower: Mapping[str, tuple[str, Any]], key: str) -> str:
        column, value = by_lower.get(key, ('', None))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, str | int) or not str(value).strip():
            return ''
        self.used.add(str(column))
        return str(value).strip()


def _is_empty(value: Any) -> bool:
    return value is None or value == '' or value == [] or (isinstance(value, float) and math.isnan(value))


def _texts(value: Any) -> list[str]:
    """One caption or several; a list may be written as text, in JSON or as Python prints it."""
    if isinstance(value, str) and value.startswith('[') and isinstance(parsed := _parsed(value), list):
        value = parsed
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, list):
        texts = [text for text in texts if not _is_empty(text)]
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError('text must be a string and captions a list of strings')
    return [text.strip() for text in texts if text.strip()]


def _parsed(text: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def _box(value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(number) for number in value):
        raise ValueError(f'bbox must be [x, y, width, height] in pixels, not {ascii(value)[:80]}')
    return tuple(float(number) for number in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MAX_PIXEL
