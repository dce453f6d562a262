"""Diversity of the images of one caption, relative to real images of its class."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import pairwise_distances

from stackgan_tf.metrics.score import Score, mean_score


def mean_distance(images: np.ndarray) -> float:
    """The mean pairwise distance of images: root mean square over pixels and channels, in gray levels.

    Args:
        images: uint8 `[N, s, s, 3]`, N at least 2.
    """
    flat = images.reshape(len(images), -1).astype(np.float64)
    distances = pairwise_distances(flat) / np.sqrt(flat.shape[1])
    return float(distances.sum() / (len(flat) * (len(flat) - 1)))


def diversity(generated: Sequence[np.ndarray], real: Sequence[np.ndarray]) -> Score:
    """The ratio of two mean pairwise distances: generated images of a caption over real images of its class.

    Args:
        generated: for each caption, images of many seeds: uint8 `[N, s, s, 3]`.
        real: for each caption, real images of its class: uint8 `[M, s, s, 3]`.
    """
    ratios = [mean_distance(fakes) / mean_distance(reals) for fakes, reals in zip(generated, real, strict=True)]
    return mean_score(np.array(ratios))
