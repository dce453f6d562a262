"""Whether one caption gives many pictures, or one picture many times."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import pairwise_distances

from stackgan_tf.metrics.score import Score, mean_score


def mean_distance(images: np.ndarray) -> float:
    """The mean distance between two of some images: root mean square over pixels and channels, in grey levels.

    Args:
        images: uint8 `[N, s, s, 3]`, N at least 2.
    """
    flat = images.reshape(len(images), -1).astype(np.float64)
    distances = pairwise_distances(flat) / np.sqrt(flat.shape[1])
    return float(distances.sum() / (len(flat) * (len(flat) - 1)))


def diversity(generated: Sequence[np.ndarray], real: Sequence[np.ndarray]) -> Score:
    """How different pictures of one caption are, as a share of how different real pictures of its class are.

    Args:
        generated: of each caption, images of many seeds: uint8 `[N, s, s, 3]`.
        real: of each caption's class, real images, likewise.
    """
    ratios = [mean_distance(made) / mean_distance(true) for made, true in zip(generated, real, strict=True)]
    return mean_score(np.array(ratios))
