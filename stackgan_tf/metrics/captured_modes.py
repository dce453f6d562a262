"""Captured modes: the scores of Stacked MNIST, whose 1,000 modes are equally frequent.

Source: Metz et al. (arXiv 1611.02163) and Srivastava et al. (arXiv 1705.07761), in both of which a classifier assigns
each of 26,000 generated images to a mode.
"""

import numpy as np
from scipy.special import rel_entr

from stackgan_tf.metrics.score import Score


def modes_captured(counts: np.ndarray) -> Score:
    """The number of modes with at least one image.

    Args:
        counts: the number of images of each mode, int `[M]`.
    """
    return Score(float(np.count_nonzero(counts)), None, int(counts.sum()))


def reverse_kl(counts: np.ndarray) -> Score:
    """The Kullback-Leibler divergence of the generated modes from equally frequent ones, in nats.

    It is 0 at best, log M if all images have one mode, and about (M - 1) / 2N for N perfect images.

    Args:
        counts: the number of images of each mode, int `[M]`.
    """
    shares = counts / counts.sum()
    return Score(float(rel_entr(shares, np.full(len(counts), 1 / len(counts))).sum()), None, int(counts.sum()))
