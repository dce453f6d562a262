"""R-precision: whether a picture finds the caption that it was drawn from among others.

Source: the protocol that AttnGAN (arXiv 1711.10485, "Evaluation") brought to text to image, with R = 1: one caption is
true, 99 others belong to something else.
"""

import numpy as np

from stackgan_tf.metrics.score import Score, mean_score

OTHERS = 99
_BLOCK = 256


def other_captions(labels: np.ndarray, caption_labels: np.ndarray, seed: int, others: int = OTHERS) -> np.ndarray:
    """Captions of other classes for each picture, all different where there are so many.

    Args:
        labels: int `[N]`, of the pictures.
        caption_labels: int `[R]`, of all captions.
        seed: of the draw.
        others: how many for each.

    Returns:
        int `[N, others]`, rows of captions.
    """
    rng = np.random.default_rng(seed)
    drawn = np.empty((len(labels), others), np.int64)
    for row, label in enumerate(labels):
        wrong = np.flatnonzero(caption_labels != label)
        drawn[row] = rng.choice(wrong, others, replace=len(wrong) < others)
    return drawn


def r_precision(pictures: np.ndarray, true: np.ndarray, captions: np.ndarray, others: np.ndarray) -> Score:
    """The share of pictures whose own caption scores highest.

    Args:
        pictures: features `[N, T]`, which score with captions by their dot product.
        true: embeddings of the captions that they are of, `[N, T]`.
        captions: embeddings of all captions, `[R, T]`.
        others: int `[N, K]`, for each picture captions of something else.
    """
    found = []
    for first in range(0, len(pictures), _BLOCK):  # together, they would fill the memory
        rows = slice(first, first + _BLOCK)
        own = np.einsum('nt,nt->n', pictures[rows], true[rows])
        best_other = np.einsum('nt,nkt->nk', pictures[rows], captions[others[rows]]).max(axis=1)
        found.append(own > best_other)
    return mean_score(np.concatenate(found))
