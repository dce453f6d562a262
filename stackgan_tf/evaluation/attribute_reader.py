"""Trained classifiers applied to images: predicted attributes and classes, and their accuracy."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.feature_extractor import fingerprint_of
from stackgan_tf.evaluation.zero_shot import in_batches
from stackgan_tf.system.errors import UserError


class AttributeReader:
    """Predicts the attributes of images.

    Args:
        network: built; maps images in [-1, 1] to the logits of each attribute, and has a `size`.
        names: the names of the attributes: those that captions may name, then others.

    Attributes:
        network: see above.
        names: the names of the A attributes.
        size: s, the size of the images, pixels.
        fingerprint: a hash of the weights; part of a score's protocol.
        modes: the number of values of each attribute, if it reads each color channel by itself: every combination is a
            mode, equally frequent, of the data that such classifiers are for; else empty.
    """

    def __init__(self, network: keras.Model, names: Sequence[str]) -> None:
        self.network = network
        self.names = tuple(names)
        self.size = int(network.size)
        self.fingerprint = fingerprint_of(network.variables)
        self.modes: tuple[int, ...] = tuple(network.choices) if network.each_channel else ()
        self._traced = tf.function(self._most_likely, reduce_retracing=True)

    @property
    def title(self) -> str:
        """How attributes are read, as a part of a protocol."""
        return f'read by the classifier {self.fingerprint} at {self.size} pixels'

    def read(self, images: np.ndarray) -> np.ndarray:
        """The most likely value of each attribute of uint8 images `[N, s, s, 3]`: int64 `[N, A]`."""
        return in_batches(self._traced, tf.constant(images))

    def accuracies(self, source: ExampleSource) -> dict[str, float]:
        """The accuracy on center crops of a source's images, by attribute.

        Raises:
            UserError: the source lacks some of the attributes.
        """
        correct = self.read_source(source) == self.truth(source)
        return dict(zip(self.names, correct.mean(axis=0).tolist(), strict=True))

    def read_source(self, source: ExampleSource) -> np.ndarray:
        """The most likely value of each attribute of center crops of a source's images: int64 `[count, A]`."""

        def read(indices: tf.Tensor) -> tf.Tensor:
            return self._most_likely(source.crops(indices, tf.fill((tf.size(indices), 2), 0.5), self.size))

        return in_batches(read, tf.range(source.count, dtype=tf.int64))

    def truth(self, source: ExampleSource) -> np.ndarray:
        """The attributes of a source's images that this classifier reads: int32 `[count, A]`.

        Raises:
            UserError: the source lacks some of them.
        """
        known = np.concatenate([source.attributes(), source.unnamed_attributes()[:, 0]], axis=1)
        if known.shape[1] < len(self.names):
            missing = ', '.join(self.names[known.shape[1] :])
            raise UserError(f'{source.title} has no attributes {missing}, which the classifier reads: use another one')
        return known[:, : len(self.names)]

    def named(self, source: ExampleSource) -> np.ndarray:
        """Which of these attributes each caption of a source names: bool `[R, A]`.

        Raises:
            UserError: the source has no captions with attributes.
        """
        named = source.caption_attributes()[:, : len(self.names)]
        return np.pad(named, ((0, 0), (0, len(self.names) - named.shape[1])))

    def _most_likely(self, images: tf.Tensor) -> tf.Tensor:
        logits = self.network(tf.cast(images, tf.float32) / 127.5 - 1.0, training=False)
        return tf.stack([tf.argmax(of_attribute, axis=1) for of_attribute in logits], axis=1)


class ClassReader:
    """Predicts the classes of images.

    Args:
        network: built; maps images in [-1, 1] to logits, and has a `size`.
        image_size: the size of the crops that it was trained on, pixels; they are resized to the network's.
    """

    def __init__(self, network: keras.Model, image_size: int) -> None:
        self.network = network
        self._image_size = image_size

    def accuracy(self, source: ExampleSource) -> float:
        """The accuracy on center crops of a source's images."""

        def read(indices: tf.Tensor) -> tf.Tensor:
            crops = source.crops(indices, tf.fill((tf.size(indices), 2), 0.5), self._image_size)
            resized = tf.image.resize(crops, (self.network.size, self.network.size))
            return tf.argmax(self.network(resized / 127.5 - 1.0, training=False), axis=1)

        return float(np.mean(in_batches(read, tf.range(source.count, dtype=tf.int64)) == source.labels()))
