"""Text in figures: captions, labels of rows and columns, and notes."""

import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_FONT_SIZE = 13
_LINE_HEIGHT = _FONT_SIZE + 3
_MARGIN = 6
_CHARACTER = 7.2  # pixels, of a usual one


def text_box(text: str, width: int, height: int) -> np.ndarray:
    """Text on white, wrapped; what does not fit is cut, and dots say so.

    Args:
        text: its lines; characters that cannot be printed become spaces.
        width: of the box, pixels.
        height: of the box, pixels.

    Returns:
        uint8 `[height, width, 3]`.
    """
    return _drawn(_lines(text, width), width, height)


def note(text: str, width: int) -> np.ndarray:
    """A note as wide as its figure and as high as its text: uint8 `[h, width, 3]`."""
    lines = _lines(text, width)
    return _drawn(lines, width, len(lines) * _LINE_HEIGHT + 2 * _MARGIN)


def _lines(text: str, width: int) -> list[str]:
    characters = max(4, int((width - 2 * _MARGIN) / _CHARACTER))
    printable = [''.join(each if each.isprintable() else ' ' for each in line) for line in text.split('\n')]
    return [part for line in printable for part in textwrap.wrap(line, characters)] or ['(no words)']


def _drawn(lines: list[str], width: int, height: int) -> np.ndarray:
    room = max(1, (height - 2 * _MARGIN) // _LINE_HEIGHT)
    if len(lines) > room:
        lines = [*lines[: room - 1], f'{lines[room - 1][:-4]} ...']
    box = Image.new('RGB', (width, height), 'white')
    font = ImageFont.load_default(_FONT_SIZE)
    ImageDraw.Draw(box).multiline_text((_MARGIN, _MARGIN), '\n'.join(lines), 'black', font, spacing=3)
    return np.asarray(box)
