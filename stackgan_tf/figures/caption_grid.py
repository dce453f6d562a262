"""A grid of captions and their generated images, as in the paper's figures of text to image."""

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stackgan_tf.figures.image_grid import image_grid

_FONT_SIZE = 13
_LINE = 24  # characters
_WIDTH = 190  # pixels of the column of captions
_MARGIN = 6


def caption_grid(captions: Sequence[str], images: np.ndarray) -> np.ndarray:
    """A row for each caption: the caption, then its images.

    Args:
        captions: `[R]`.
        images: uint8 `[R * C, h, w, 3]`, in the order of the captions.

    Returns:
        uint8 `[H, W, 3]`. Small images are enlarged by an integer factor, so that the captions are legible.
    """
    columns = len(images) // len(captions)
    enlargement = max(1, round(96 / images.shape[1]))
    enlarged = images.repeat(enlargement, axis=1).repeat(enlargement, axis=2)
    rows = [
        _caption_row(caption, image_grid(enlarged[row * columns : (row + 1) * columns], columns))
        for row, caption in enumerate(captions)
    ]
    return np.concatenate(rows)


def _caption_row(caption: str, images: np.ndarray) -> np.ndarray:
    font = ImageFont.load_default(_FONT_SIZE)
    printable = ''.join(character if character.isprintable() else ' ' for character in caption)
    lines = textwrap.wrap(printable, _LINE) or ['(no words)']
    room = max(1, (len(images) - 2 * _MARGIN) // (_FONT_SIZE + 3))
    if len(lines) > room:
        lines = [*lines[: room - 1], f'{lines[room - 1][: _LINE - 4]} ...']
    column = Image.new('RGB', (_WIDTH, len(images)), 'white')
    ImageDraw.Draw(column).multiline_text((_MARGIN, _MARGIN), '\n'.join(lines), 'black', font, spacing=3)
    return np.concatenate([np.asarray(column), images], axis=1)
