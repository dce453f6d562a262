"""The two Inception networks of published scores, which are not comparable with each other."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor, fingerprint_of
from stackgan_tf.evaluation.resizing import Resize
from stackgan_tf.formats.hub_module import hash_of_files, load_hub_module
from stackgan_tf.system.errors import UserError, as_user_error

TFGAN_HANDLE = 'https://tfhub.dev/tensorflow/tfgan/eval/inception/1'
_SIZE = 299  # pixels


class TfganInception(FeatureExtractor):
    """The Inception graph of 2015-12-05 from TF-GAN, with which Inception score and Frechet distance were published.

    The features are those of the last pooling (`pool_3`, 2,048), the probabilities those of 1,008 classes (`logits`).

    Args:
        source: a TF Hub handle, or the folder of a copy.
        resize: see `RESIZES`; most published distances were measured with `legacy`.

    Raises:
        UserError: the network cannot be loaded, or is another one.
    """

    def __init__(self, source: str = TFGAN_HANDLE, resize: Resize = 'clean') -> None:
        self._loaded, folder = load_hub_module(source)
        super().__init__('tfgan_inception', hash_of_files(folder), _SIZE, resize)
        outputs = self._loaded(tf.zeros((1, _SIZE, _SIZE, 3))) if callable(self._loaded) else None
        if not isinstance(outputs, Mapping) or not {'pool_3', 'logits'} <= set(outputs):
            raise UserError(f"{source} is not TF-GAN's Inception, which gives pool_3 and logits: name a copy of it")

    def extract(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """See `FeatureExtractor.extract`."""
        outputs = self._loaded((images - 128.0) / 128.0)  # as that graph did
        features = tf.reshape(outputs['pool_3'], (tf.shape(images)[0], -1))
        return features, tf.nn.softmax(tf.reshape(outputs['logits'], (tf.shape(images)[0], -1)))


class KerasInception(FeatureExtractor):
    """Inception-v3 of `keras.applications`: its last pooling (2,048), and its 1,000 classes.

    Args:
        weights: 'imagenet', which Keras downloads once (92 MB), or a weights file; '' gives random weights.
        resize: see `RESIZES`.

    Raises:
        UserError: the weights cannot be loaded.
    """

    def __init__(self, weights: str = 'imagenet', resize: Resize = 'clean') -> None:
        with as_user_error(f'no weights {weights!r} for InceptionV3'):
            network = keras.applications.InceptionV3(weights=weights or None, classifier_activation=None)
        self._network = keras.Model(network.input, [network.get_layer('avg_pool').output, network.output])
        super().__init__('keras_inception', fingerprint_of(self._network.variables), _SIZE, resize)

    def extract(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """See `FeatureExtractor.extract`."""
        features, logits = self._network(images / 127.5 - 1.0, training=False)
        return features, tf.nn.softmax(logits)
