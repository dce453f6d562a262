"""Kernel Inception distance: unlike the Frechet distance it is unbiased, so it also suits few images.

Source: Binkowski et al. (arXiv 1801.01401): the squared maximum mean discrepancy under a cubic kernel.
"""

import numpy as np

from stackgan_tf.metrics.score import Score

SUBSETS = 100
SUBSET_SIZE = 1000


def kid(
    real: np.ndarray, generated: np.ndarray, subsets: int = SUBSETS, size: int = SUBSET_SIZE, seed: int = 0
) -> Score:
    """The mean over random subsets, with the standard deviation between them.

    Args:
        real: features `[N, D]`.
        generated: features `[M, D]`.
        subsets: number of subsets; each is drawn independently, without replacement.
        size: size of a subset, at least 2; at most half of the smaller set, since larger subsets share most of their
            images and differ too little. Fewer than four features are compared whole, without a spread.
        seed: the seed of the draw.
    """
    rng = np.random.default_rng(seed)
    smaller = min(len(real), len(generated))
    size = min(size, smaller // 2)
    if size < 2:
        return Score(squared_discrepancy(real, generated), None, smaller)
    distances = []
    for _ in range(subsets):
        rows, columns = (rng.choice(len(each), size, replace=False) for each in (real, generated))
        distances.append(squared_discrepancy(real[rows], generated[columns]))
    return Score(float(np.mean(distances)), float(np.std(distances)), size, f'standard deviation of {subsets} subsets')


def squared_discrepancy(first: np.ndarray, second: np.ndarray) -> float:
    """The unbiased estimate of two sets of features `[n, D]`; may be negative."""
    x, y = first.astype(np.float64), second.astype(np.float64)
    return _mean_of_others(_kernel(x, x)) + _mean_of_others(_kernel(y, y)) - 2.0 * float(_kernel(x, y).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    base = x @ y.T / x.shape[1] + 1.0
    return base * base * base  # many times faster than a power


def _mean_of_others(kernel: np.ndarray) -> float:
    """The mean without the diagonal: an image is not compared with itself."""
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))
