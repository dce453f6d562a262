"""Caption consistency: the attributes that a classifier predicts for images against those that captions name."""

from collections.abc import Sequence

import numpy as np

from stackgan_tf.metrics.score import Score, mean_score


def caption_consistency(
    predicted: np.ndarray, expected: np.ndarray, named: np.ndarray, names: Sequence[str]
) -> dict[str, Score]:
    """The share of named attributes that an image has as its caption names them.

    Args:
        predicted: int `[N, A]`, the attributes of the images.
        expected: int `[N, A]`, the attributes of the examples that the captions describe.
        named: bool `[N, A]`, the attributes that the captions name; the others do not count.
        names: the names of the attributes.

    Returns:
        `caption_consistency` over all named attributes, and `caption_consistency_NAME` of each attribute that any
        caption names.
    """
    correct = predicted == expected
    scores = {'caption_consistency': mean_score(correct[named])}
    for name, column, counts in zip(names, correct.T, named.T, strict=True):
        if counts.any():
            scores[f'caption_consistency_{name}'] = mean_score(column[counts])
    return scores
