"""A trained classifier as a judge of pictures: what it reads off them, and how often it is right."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.feature_extractor import fingerprint_of
from stackgan_tf.evaluation.zero_shot import in_batches


class AttributeReader:
    """Reads the attributes of pictures.

    Args:
        network: built; maps images in [-1, 1] to the logits of each attribute, and has a `size`.
        names: of the attributes.

    Attributes:
        network: see above.
        names: of the attributes, A of them.
        size: s, of the pictures, pixels.
        fingerprint: of its weights; part of what a score depends on.
    """

    def __init__(self, network: keras.Model, names: Sequence[str]) -> None:
        self.network = network
        self.names = tuple(names)
        self.size = int(network.size)
        self.fingerprint = fingerprint_of(network.variables)
        self._traced = tf.function(self._likeliest, reduce_retracing=True)

    def read(self, images: np.ndarray) -> np.ndarray:
        """The likeliest value of each attribute of uint8 images `[N, s, s, 3]`: int64 `[N, A]`."""
        return in_batches(self._traced, tf.constant(images))

    def accuracies(self, source: ExampleSource) -> dict[str, float]:
        """How often it is right about the centres of a source's pictures, by attribute.

        Raises:
            UserError: the source has no attributes.
        """

        def read(indices: tf.Tensor) -> tf.Tensor:
            return self._likeliest(source.crops(indices, tf.fill((tf.size(indices), 2), 0.5), self.size))

        right = in_batches(read, tf.range(source.count, dtype=tf.int64)) == source.attributes()
        return dict(zip(self.names, right.mean(axis=0).tolist(), strict=True))

    def _likeliest(self, images: tf.Tensor) -> tf.Tensor:
        logits = self.network(tf.cast(images, tf.float32) / 127.5 - 1.0, training=False)
        return tf.stack([tf.argmax(of_attribute, axis=1) for of_attribute in logits], axis=1)


class ClassReader:
    """Tells the classes of pictures.

    Args:
        network: built; maps images in [-1, 1] to logits, and has a `size`.
        picture_size: of the crops that it was trained on, pixels; they are resized to the network's.
    """

    def __init__(self, network: keras.Model, picture_size: int) -> None:
        self.network = network
        self._picture_size = picture_size

    def accuracy(self, source: ExampleSource) -> float:
        """How often it is right about the centres of a source's pictures."""

        def read(indices: tf.Tensor) -> tf.Tensor:
            crops = source.crops(indices, tf.fill((tf.size(indices), 2), 0.5), self._picture_size)
            resized = tf.image.resize(crops, (self.network.size, self.network.size))
            return tf.argmax(self.network(resized / 127.5 - 1.0, training=False), axis=1)

        return float(np.mean(in_batches(read, tf.range(source.count, dtype=tf.int64)) == source.labels()))
