"""Multi-scale structural similarity between random pairs of images, which is high in a set without diversity.

Sources: Wang et al. (2003) for the similarity, Odena et al. (arXiv 1610.09585) for its use as a measure of diversity: a
model that repeats one image has a score near 1.
"""

import numpy as np
import tensorflow as tf

from stackgan_tf.metrics.score import Score, mean_score

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of Wang et al., fine to coarse
_FILTER = 11  # pixels
_BATCH = 50


def weights_for(size: int) -> tuple[float, ...]:
    """The weights of the scales of an image: each scale halves it, and the filter must fit into the last.

    The weights of fewer than five scales are normalized to sum to 1, as all five do.
    """
    scales = 1
    while scales < len(_WEIGHTS) and size >> scales >= _FILTER:
        scales += 1
    total = sum(_WEIGHTS[:scales])
    return tuple(weight / total for weight in _WEIGHTS[:scales])


def ms_ssim(images: np.ndarray) -> Score:
    """The mean similarity of pairs: the first image with the second, the third with the fourth, and so on.

    Args:
        images: uint8 `[2 P, s, s, 3]`, in random order.
    """
    pairs = [pair_similarities(images[i : i + 2 * _BATCH]) for i in range(0, len(images), 2 * _BATCH)]
    return mean_score(np.concatenate(pairs))


def pair_similarities(images: np.ndarray) -> np.ndarray:
    """The similarity of each pair: uint8 `[2 P, s, s, 3]` to float32 `[P]` in [0, 1]."""
    size = images.shape[1]
    first, second = tf.constant(images[0::2]), tf.constant(images[1::2])
    return tf.image.ssim_multiscale(first, second, 255, weights_for(size), min(_FILTER, size // 2 * 2 - 1)).numpy()
