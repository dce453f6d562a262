"""The images that a discriminator finds worst: failure cases without a choice by hand."""

from collections.abc import Sequence

import numpy as np

from stackgan_tf.figures.drawn_text import note
from stackgan_tf.figures.labeled_grid import captioned_grid


def failure_figure(
    images: np.ndarray, conditions: Sequence[str], scores: np.ndarray, count: int, tile: int
) -> np.ndarray:
    """The worst images by their scores, worst first, and below them, for comparison, the best ones.

    Args:
        images: uint8 `[N, s, s, 3]`.
        conditions: their captions or classes, N; empty strings for an unconditional model.
        scores: `[N]`, higher is better.
        count: images in each of the two rows.
        tile: the size of an image in the figure, pixels.

    Returns:
        uint8 `[H, W, 3]`.
    """
    order = np.argsort(scores, kind='stable')
    parts = []
    for title, chosen in (('Worst', order[:count]), ('Best', order[::-1][:count])):
        texts = [f'{scores[number]:.1f}\n{conditions[number]}' for number in chosen]
        parts += [note(f'{title} of {len(images):,} by the score:', count * tile)]
        parts += [captioned_grid(images[chosen], texts, count, tile)]
    return np.concatenate(parts)
