"""Mode coverage: whether the values of an attribute vary among generated images as they do among real ones.

A generator that collapses gives all images of a caption one background. Entropies are in nats. Those of a few images
are too small on average, so each is divided by what as many real images have on average: perfect coverage is 1.
"""

import numpy as np
from scipy.special import rel_entr, xlogy
from scipy.stats import binom

from stackgan_tf.metrics.score import Score, mean_score


def value_shares(values: np.ndarray, choices: int) -> np.ndarray:
    """The share of each of K values among int `[N]`: float64 `[K]`."""
    return np.bincount(values, minlength=choices) / len(values)


def entropy(shares: np.ndarray) -> float:
    """The entropy of a distribution `[K]`, in nats."""
    return float(-xlogy(shares, shares).sum())


def expected_entropy(shares: np.ndarray, count: int) -> float:
    """The mean entropy of the shares among `count` draws from a distribution `[K]`, in nats."""
    drawn = np.arange(count + 1)
    probabilities = binom.pmf(drawn[:, None], count, shares)  # [count + 1, K]
    return float(-(probabilities * xlogy(drawn / count, drawn / count)[:, None]).sum())


def mode_coverage(generated: np.ndarray, real: np.ndarray) -> Score:
    """The mean entropy of the images of one caption, divided by that of as many real images.

    Args:
        generated: the values of an attribute, int `[C, S]`, of S images of each of C captions.
        real: the share of each value among real images, `[K]`; at least two are above 0.
    """
    entropies = np.array([entropy(value_shares(row, len(real))) for row in generated])
    return mean_score(entropies / expected_entropy(real, generated.shape[1]))


def mode_divergence(generated: np.ndarray, real: np.ndarray, real_count: int) -> Score:
    """The Kullback-Leibler divergence of the generated values from the real ones, in nats.

    Args:
        generated: the values of an attribute, int `[N]`.
        real: the share of each value among real images, `[K]`. A value that none of them has counts as half an image.
        real_count: the number of real images.
    """
    expected = np.maximum(real, 0.5 / real_count)
    divergence = rel_entr(value_shares(generated, len(real)), expected / expected.sum()).sum()
    return Score(max(0.0, float(divergence)), None, len(generated))  # rounding may give less than 0
