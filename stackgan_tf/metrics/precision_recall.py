"""Fidelity and diversity of generated images as four scores from nearest neighbors.

Sources: precision and recall by Kynkaanniemi et al. (arXiv 1904.06991), density and coverage by Naeem et al. (arXiv
2002.09797). Both estimate the manifold of a set by balls, each around a point up to its k-th nearest neighbor.
"""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

from stackgan_tf.metrics.score import Score, mean_score

PRECISION_NEIGHBORS = 3
DENSITY_NEIGHBORS = 5
_MEGABYTES = 256  # of distances at a time


def precision_recall(
    real: np.ndarray,
    generated: np.ndarray,
    k: int = PRECISION_NEIGHBORS,
    density_k: int = DENSITY_NEIGHBORS,
) -> dict[str, Score]:
    """Scores of two sets of features, of which equal numbers are compared.

    Args:
        real: features `[N, D]`, N greater than `k` and `density_k`.
        generated: features `[M, D]`, M greater than `k` and `density_k`.
        k: the neighbor that bounds the balls of precision and recall.
        density_k: the neighbor that bounds the balls of density and coverage.

    Returns:
        `precision`, the share of generated images inside a real ball; `recall`, the share of real images inside a
        generated ball; `density`, the mean number of real balls around a generated image, over `density_k`;
        `coverage`, the share of real balls with a generated image inside.
    """
    count = min(len(real), len(generated))
    real, generated = real[:count], generated[:count]
    balls = {each: _radii(real, each) for each in (k, density_k)}
    generated_balls = _radii(generated, k)
    precise, inside = np.zeros(count, bool), np.zeros(count)
    recalled, covered = [], []
    first = 0
    for distances in pairwise_distances_chunked(real, generated, working_memory=_MEGABYTES):  # [rows, count]
        rows = slice(first, first + len(distances))
        first += len(distances)
        precise |= (distances <= balls[k][rows, None]).any(axis=0)
        near = distances <= balls[density_k][rows, None]
        inside += near.sum(axis=0)
        covered.append(near.any(axis=1))
        recalled.append((distances <= generated_balls).any(axis=1))
    return {
        'precision': mean_score(precise),
        'recall': mean_score(np.concatenate(recalled)),
        'density': mean_score(inside / density_k),
        'coverage': mean_score(np.concatenate(covered)),
    }


def _radii(features: np.ndarray, k: int) -> np.ndarray:
    """The distance of each point to its k-th nearest neighbor in the same set, without itself: `[N]`."""
    blocks = pairwise_distances_chunked(
        features, reduce_func=lambda distances, _: np.partition(distances, k, axis=1)[:, k], working_memory=_MEGABYTES
    )
    return np.concatenate(list(blocks))
