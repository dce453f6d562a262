"""Nearest training images: whether a model copies them (the paper's figure of nearest neighbors of v1)."""

from collections.abc import Sequence

import numpy as np

from stackgan_tf.figures.labeled_grid import Row


def nearest(features: np.ndarray, candidates: np.ndarray, count: int) -> np.ndarray:
    """The candidates nearest to each image by the Euclidean distance of features, nearest first.

    Args:
        features: of generated images, float32 `[N, D]`.
        candidates: of training images, float32 `[M, D]`.
        count: K, at most M.

    Returns:
        Numbers of candidates, int `[N, K]`.
    """
    # Around the mean of the candidates: the terms of the expanded square then cancel less.
    center = candidates.mean(axis=0)
    own, others = features - center, candidates - center
    squared = np.sum(others**2, axis=1) - 2 * own @ others.T  # but for the square of the image's own features
    return np.argsort(squared, axis=1, kind='stable')[:, :count]


def nearest_rows(labels: Sequence[str], images: np.ndarray, found: np.ndarray) -> list[Row]:
    """A row for each generated image: itself, then its nearest training images.

    Args:
        labels: of the generated images.
        images: generated, uint8 `[N, s, s, 3]`.
        found: training images, uint8 `[N, K, s, s, 3]`.
    """
    return [
        (label, np.concatenate([image[None], neighbors]))
        for label, image, neighbors in zip(labels, images, found, strict=True)
    ]
