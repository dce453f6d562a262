"""Features of a classifier that this package trained: the input of its last layer."""

import keras
import tensorflow as tf

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor, fingerprint_of


class ClassifierFeatures(FeatureExtractor):
    """The features and probabilities of a trained classifier of attributes or classes.

    Args:
        network: built; has a `size`; its `judge` maps images in [-1, 1] to features and probabilities.
        resize: see `RESIZES`.
    """

    def __init__(self, network: keras.Model, resize: str = 'clean') -> None:
        self._network = network
        super().__init__('classifier', fingerprint_of(network.variables), int(network.size), resize)

    def extract(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """See `FeatureExtractor.extract`."""
        return self._network.extract(images / 127.5 - 1.0)
