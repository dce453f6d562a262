"""A trained classifier as a judge of pictures: what it reads off them, and how often it is right."""

import hashlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.zero_shot import in_batches


class AttributeReader:
    """Reads the attributes of pictures.

    Args:
        network: built; maps images in [-1, 1] to the logits of each attribute, and has a `size`.
        names: of the attributes.

    Attributes:
        names: of the attributes, A of them.
        size: s, of the pictures, pixels.
        fingerprint: of its weights; part of what a score depends on.
    """

    def __init__(self, network: keras.Model, names: Sequence[str]) -> None:
        self._network = network
        self.names = tuple(names)
        self.size = int(network.size)
        hashed = hashlib.sha256()
        for variable in network.variables:
            hashed.update(variable.numpy().tobytes())
        self.fingerprint = hashed.hexdigest()[:16]

    def read(self, images: np.ndarray) -> np.ndarray:
        """The likeliest value of each attribute of uint8 images `[N, s, s, 3]`: int64 `[N, A]`."""
        return in_batches(self._likeliest, tf.constant(images))

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
        logits = self._network(tf.cast(images, tf.float32) / 127.5 - 1.0, training=False)
        return tf.stack([tf.argmax(of_attribute, axis=1) for of_attribute in logits], axis=1)
