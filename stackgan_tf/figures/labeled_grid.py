"""Images in rows and columns with labels, and a note that says how they were made."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from stackgan_tf.figures.caption_grid import LABEL_WIDTH
from stackgan_tf.figures.drawn_text import note as drawn_note
from stackgan_tf.figures.drawn_text import text_box
from stackgan_tf.figures.image_grid import image_grid

TILE = 128  # pixels; six columns then fit a README
_HEADER = 26  # pixels

Row = tuple[str, np.ndarray]  # a label, and uint8 images `[C, s, s, 3]` of any size


def tiles(images: np.ndarray, size: int) -> np.ndarray:
    """Resizes images `[N, h, h, 3]`: multiples by repeating pixels, which shows what they are; others by Lanczos."""
    if size % images.shape[1] == 0:
        times = size // images.shape[1]
        return images.repeat(times, axis=1).repeat(times, axis=2)
    resized = [Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS) for image in images]
    return np.stack([np.asarray(image) for image in resized])


def labeled_grid(rows: Sequence[Row], columns: Sequence[str] = (), note: str = '', tile: int = TILE) -> np.ndarray:
    """A row of images after each label.

    Args:
        rows: labels and images; all rows have the same number of images, of any size.
        columns: what stands above each column; may be empty.
        note: what stands below.
        tile: the size of an image in the figure, pixels.

    Returns:
        uint8 `[H, W, 3]`.
    """
    parts = []
    if columns:
        header = [text_box(label, tile, _HEADER) for label in columns]
        parts.append(np.concatenate([np.full((_HEADER, LABEL_WIDTH, 3), 255, np.uint8), *header], axis=1))
    for label, images in rows:
        shown = image_grid(tiles(images, tile), len(images))
        parts.append(np.concatenate([text_box(label, LABEL_WIDTH, tile), shown], axis=1))
    if note:
        parts.append(drawn_note(note, parts[0].shape[1]))
    return np.concatenate(parts)


def captioned_grid(images: np.ndarray, texts: Sequence[str], columns: int, tile: int = TILE) -> np.ndarray:
    """Images in rows, each with its own text below: uint8 `[N, s, s, 3]` to uint8 `[H, W, 3]`.

    All texts get the height of the longest, up to twice that of an image.
    """
    height = min(2 * tile, max(len(drawn_note(text, tile)) for text in texts))
    below = np.stack([text_box(text, tile, height) for text in texts])
    return image_grid(np.concatenate([tiles(images, tile), below], axis=1), columns)
