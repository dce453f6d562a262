"""CLIP score: how well images match their captions, by the features of CLIP."""

import numpy as np

from stackgan_tf.metrics.score import Score, mean_score


def clip_score(images: np.ndarray, captions: np.ndarray) -> Score:
    """The mean of max(100 cos, 0) over pairs of an image and its caption: between 0 and 100.

    Source: Hessel et al. (arXiv 2104.08718), "CLIPScore", who scale by 2.5 instead of 100 and prefix "A photo depicts".

    Args:
        images: features `[N, T]`, of any length but 0.
        captions: features of their captions, `[N, T]`.
    """
    lengths = np.linalg.norm(images, axis=1) * np.linalg.norm(captions, axis=1)
    cosines = np.einsum('nt,nt->n', images, captions, dtype=np.float64) / lengths
    return mean_score(100 * np.maximum(cosines, 0))
