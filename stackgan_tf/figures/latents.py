"""Images from given noise, for figures that hold one input fixed and vary another."""

import numpy as np
import tensorflow as tf

from stackgan_tf.generator import Generator
from stackgan_tf.seeded_images import CONDITIONING_STREAM, noise_of_seeds, to_uint8

_BATCH = 32


def noise_of(model: Generator, seeds: np.ndarray) -> np.ndarray:
    """The noise z that images of these seeds have, float32 `[N, Z]`."""
    return noise_of_seeds(tf.constant(seeds, tf.int64), model.noise_dimension).numpy()


def conditioning_noise_of(model: Generator, seeds: np.ndarray) -> np.ndarray:
    """The noise of conditioning augmentation that images of these seeds have, float32 `[N, E]`."""
    return noise_of_seeds(tf.constant(seeds, tf.int64), model.condition_dimension, CONDITIONING_STREAM).numpy()


def images_of_latents(
    model: Generator, noise: np.ndarray, embeddings: np.ndarray | None = None, epsilon: np.ndarray | None = None
) -> np.ndarray:
    """The largest images of a model.

    Args:
        model: of any kind.
        noise: z, float32 `[N, Z]`.
        embeddings: float32 `[N, T]` of a conditional model; rows of the identity for one of classes.
        epsilon: the noise of conditioning augmentation, float32 `[N, E]`; None: zeros, the mean.

    Returns:
        uint8 `[N, s, s, 3]`.
    """
    condition = embeddings if embeddings is None or model.kind != 'class' else embeddings.argmax(axis=1)
    images = []
    for first in range(0, len(noise), _BATCH):
        rows = slice(first, first + _BATCH)
        given = [None if each is None else each[rows] for each in (condition, epsilon)]
        images.append(to_uint8(model.latent(noise[rows], *given)[model.sizes[-1]]).numpy())
    return np.concatenate(images)
