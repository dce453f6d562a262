"""A grid of captions and their generated images, as in the paper's figures of text to image."""

from collections.abc import Sequence

import numpy as np

from stackgan_tf.figures.drawn_text import text_box
from stackgan_tf.figures.image_grid import image_grid

LABEL_WIDTH = 190  # pixels of the column of captions


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
    rows = []
    for row, caption in enumerate(captions):
        shown = image_grid(enlarged[row * columns : (row + 1) * columns], columns)
        rows.append(np.concatenate([text_box(caption, LABEL_WIDTH, len(shown)), shown], axis=1))
    return np.concatenate(rows)
