"""Whether pictures show what their captions say: what a classifier reads off them against what was asked for."""

from collections.abc import Sequence

import numpy as np

from stackgan_tf.metrics.score import Score, mean_score


def caption_consistency(
    read: np.ndarray, asked: np.ndarray, named: np.ndarray, names: Sequence[str]
) -> dict[str, Score]:
    """The share of attributes that are in the picture as its caption names them.

    Args:
        read: off the pictures, int `[N, A]`.
        asked: int `[N, A]`, the attributes of what the captions describe.
        named: bool `[N, A]`, which of them the captions name; others are left to the model and do not count.
        names: of the attributes.

    Returns:
        `caption_consistency` over all that is named, and `caption_consistency_NAME` of each attribute that any caption
        names.
    """
    right = read == asked
    scores = {'caption_consistency': mean_score(right[named])}
    for name, of_pictures, counts in zip(names, right.T, named.T, strict=True):
        if counts.any():
            scores[f'caption_consistency_{name}'] = mean_score(of_pictures[counts])
    return scores
