"""R-precision: how often an image retrieves its own caption among others.

Source: the protocol that AttnGAN (arXiv 1711.10485, "Evaluation") introduced for text to image, with R = 1: one true
caption against 99 mismatched ones.
"""

import numpy as np

from stackgan_tf.metrics.score import Score, mean_score

OTHERS = 99
_BLOCK = 256


def other_captions(labels: np.ndarray, caption_labels: np.ndarray, seed: int, others: int = OTHERS) -> np.ndarray:
    """Samples captions of other classes for each image, without replacement if there are enough.

    Args:
        labels: int `[N]`, the classes of the images.
        caption_labels: int `[R]`, the classes of all captions.
        seed: the seed of the draw.
        others: number of captions per image.

    Returns:
        int `[N, others]`, the rows of the captions.
    """
    rng = np.random.default_rng(seed)
    drawn = np.empty((len(labels), others), np.int64)
    for row, label in enumerate(labels):
        wrong = np.flatnonzero(caption_labels != label)
        drawn[row] = rng.choice(wrong, others, replace=len(wrong) < others)
    return drawn


def r_precision(images: np.ndarray, true: np.ndarray, captions: np.ndarray, others: np.ndarray) -> Score:
    """The share of images whose own caption has the highest score, the dot product of both embeddings.

    Args:
        images: embeddings of the images, `[N, T]`.
        true: embeddings of their own captions, `[N, T]`.
        captions: embeddings of all captions, `[R, T]`.
        others: int `[N, K]`, for each image the rows of mismatched captions.
    """
    found = []
    for first in range(0, len(images), _BLOCK):  # in blocks, to limit the memory
        rows = slice(first, first + _BLOCK)
        own = np.einsum('nt,nt->n', images[rows], true[rows])
        best_other = np.einsum('nt,nkt->nk', images[rows], captions[others[rows]]).max(axis=1)
        found.append(own > best_other)
    return mean_score(np.concatenate(found))
