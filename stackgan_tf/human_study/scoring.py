"""Scores of a human study: mean ranks, and whether raters agree.

The paper's Tables 2 and 3 report mean ranks ("human rank"), 1 the best.
"""

from typing import NamedTuple

import numpy as np

_RESAMPLES = 5000
_PERCENTILES = (2.5, 97.5)


class MeanRanks(NamedTuple):
    """Mean ranks of K models.

    Attributes:
        means: `[K]`.
        low: the lower ends of their 95 % intervals, `[K]`.
        high: the upper ends, `[K]`.
        rankings: their number.
    """

    means: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rankings: int


class Agreement(NamedTuple):
    """Kendall's coefficient of concordance.

    Attributes:
        value: W, the mean over captions: 1 if all raters rank alike; NaN if no caption has two raters.
        chance: its expectation if ranks are random: the mean of 1 / raters.
        captions: how many have at least two raters who do not all find all images equally good.
    """

    value: float
    chance: float
    captions: int


def mean_ranks(ranks: np.ndarray, seed: int) -> MeanRanks:
    """Mean ranks with bootstrap intervals.

    Raters and captions are resampled together (the pigeonhole bootstrap of Owen, arXiv 0712.1111), since other raters
    and other captions would give other ranks; with one rater, captions alone.

    Args:
        ranks: `[R, T, K]`, NaN where a rater did not rank a caption; there is a ranking.
        seed: of the resampling.
    """
    given = ~np.isnan(ranks[:, :, 0])  # [R, T]
    known = np.where(given[:, :, None], ranks, 0.0)
    rng = np.random.default_rng(seed)
    raters, captions = given.shape
    means: list[np.ndarray] = []
    while len(means) < _RESAMPLES:
        rater_weights = rng.multinomial(raters, np.full(raters, 1 / raters))
        caption_weights = rng.multinomial(captions, np.full(captions, 1 / captions))
        total = rater_weights @ given @ caption_weights
        if total:  # else it drew only what nobody ranked
            means.append(np.einsum('r,t,rtk->k', rater_weights, caption_weights, known) / total)
    low, high = np.percentile(means, _PERCENTILES, axis=0)
    return MeanRanks(known.sum(axis=(0, 1)) / given.sum(), low, high, int(given.sum()))


def kendall_w(ranks: np.ndarray) -> float:
    """Kendall's W of one caption, corrected for ties.

    W = 12 S / (m^2 (k^3 - k) - m sum(t^3 - t)): S is the sum of squares of the models' sums of ranks around their mean,
    t the size of each group of ties.

    Args:
        ranks: of m raters and k models, `[m, k]`; ties have mean ranks.

    Returns:
        In [0, 1]; NaN if every rater finds all models equally good.
    """
    raters, models = ranks.shape
    sums = ranks.sum(axis=0)
    ties = sum(np.sum(sizes**3 - sizes) for sizes in (np.unique(row, return_counts=True)[1] for row in ranks))
    most = raters**2 * (models**3 - models) - raters * ties
    return float(12 * np.sum((sums - sums.mean()) ** 2) / most) if most else float('nan')


def agreement(ranks: np.ndarray) -> Agreement:
    """The mean of Kendall's W over the captions that at least two raters ranked.

    Args:
        ranks: `[R, T, K]`, NaN where a rater did not rank a caption.
    """
    found = []
    for caption in ranks.swapaxes(0, 1):
        given = caption[~np.isnan(caption[:, 0])]
        if len(given) > 1 and not np.isnan(value := kendall_w(given)):
            found.append((value, 1 / len(given)))
    if not found:
        return Agreement(float('nan'), float('nan'), 0)
    value, chance = np.mean(found, axis=0)
    return Agreement(float(value), float(chance), len(found))
