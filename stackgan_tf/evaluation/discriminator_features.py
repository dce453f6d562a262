"""Features and scores of a trained discriminator, for figures of nearest neighbors and of failures."""

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor, fingerprint_of

_BATCH = 64


class DiscriminatorFeatures(FeatureExtractor):
    """The features of a discriminator before its heads, in which the paper finds nearest training images.

    Args:
        network: a built discriminator.
        resize: see `RESIZES`.
    """

    def __init__(self, network: keras.Model, resize: str = 'clean') -> None:
        self._network = network
        super().__init__('discriminator', fingerprint_of(network.variables), int(network.size), resize)

    def extract(self, images: tf.Tensor) -> tuple[tf.Tensor, None]:
        """Features `[N, m * m * C]`; see `FeatureExtractor.extract`."""
        features = self._network.features(images / 127.5 - 1.0)
        return tf.reshape(features, (-1, int(np.prod(features.shape[1:])))), None


def discriminator_scores(
    generator: keras.Model, discriminator: keras.Model, images: np.ndarray, embeddings: np.ndarray | None = None
) -> np.ndarray:
    """How real a discriminator finds images, and how well they match: the sum of the logits of its heads.

    Args:
        generator: that it was trained with; its conditioning augmentation gives the condition.
        discriminator: of the size of the images.
        images: uint8 `[N, s, s, 3]`.
        embeddings: of their conditions, `[N, T]`, of a conditional model.

    Returns:
        float32 `[N]`.
    """

    @tf.function(reduce_retracing=True)
    def score(batch: tf.Tensor, embedding: tf.Tensor | None) -> tf.Tensor:
        scaled = tf.cast(batch, tf.float32) / 127.5 - 1.0
        if embedding is None:
            return discriminator(scaled)
        condition = _condition(generator, discriminator, embedding)
        return tf.add_n(tf.nest.flatten(discriminator(scaled, condition)))

    scores = []
    for first in range(0, len(images), _BATCH):
        rows = slice(first, first + _BATCH)
        given = None if embeddings is None else tf.constant(embeddings[rows])
        scores.append(score(tf.constant(images[rows]), given).numpy())
    return np.concatenate(scores)


def _condition(generator: keras.Model, discriminator: keras.Model, embedding: tf.Tensor) -> tf.Tensor:
    """The discriminator's condition: the embedding, which it then projects, or mu."""
    reader = getattr(generator, 'stage_two', generator)
    if not reader.embedding_dimension:  # Stage-II refines without the text: its discriminator reads it as Stage-I does
        reader = generator.stage_one
    read = reader.read(embedding)
    if discriminator.projection:
        return read
    _, mu, _ = reader.augment(read, tf.zeros((tf.shape(read)[0], reader.condition_dimension)))
    return mu
