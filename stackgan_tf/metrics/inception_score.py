"""Inception score: high when a classifier is confident about each image and predicts many classes.

Source: Salimans et al. (arXiv 1606.03498), the paper's main score ("Evaluation metrics"): the exponential of the mean
divergence of p(y|x) from p(y), over ten splits; mean and standard deviation of these.
"""

import numpy as np
from scipy.special import xlogy

from stackgan_tf.metrics.score import Score

SPLITS = 10


class SplitScores:
    """Accumulates the sums of the Inception score over batches of probabilities.

    Args:
        count: N, the number of images.
        splits: number of splits; at most the number of images.
        seed: the seed of a random split, since folders and data sets are often sorted by class; None: in order.
    """

    def __init__(self, count: int, splits: int = SPLITS, seed: int | None = 0) -> None:
        splits = min(splits, count)
        places = np.arange(count) if seed is None else np.random.default_rng(seed).permutation(count)
        self._split_of = places * splits // count
        self._negative_entropies = np.zeros(splits)
        self._sums: np.ndarray | None = None  # [splits, C]
        self._added = 0

    def add(self, probabilities: np.ndarray) -> None:
        """Adds p(y|x) of the next images: `[n, C]`, each row sums to 1 (up to float32)."""
        p = probabilities.astype(np.float64)
        p /= p.sum(axis=1, keepdims=True)
        splits = self._split_of[self._added : self._added + len(p)]
        self._added += len(p)
        if self._sums is None:
            self._sums = np.zeros((len(self._negative_entropies), p.shape[1]))
        np.add.at(self._sums, splits, p)
        np.add.at(self._negative_entropies, splits, xlogy(p, p).sum(axis=1))

    def score(self) -> Score:
        """Mean and (population) standard deviation over splits."""
        assert self._sums is not None
        sizes = np.bincount(self._split_of)
        marginal = self._sums / sizes[:, None]  # p(y) of each split
        divergences = self._negative_entropies / sizes - xlogy(marginal, marginal).sum(axis=1)
        scores = np.exp(divergences)
        spread_is = f'standard deviation of {len(scores)} splits'
        return Score(float(scores.mean()), float(scores.std()), self._added, spread_is)


def inception_score(probabilities: np.ndarray, splits: int = SPLITS, seed: int | None = 0) -> Score:
    """The score of p(y|x) `[N, C]`; see `SplitScores`."""
    sums = SplitScores(len(probabilities), splits, seed)
    sums.add(probabilities)
    return sums.score()
