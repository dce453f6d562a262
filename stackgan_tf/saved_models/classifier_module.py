"""A classifier as a SavedModel that runs without this package."""

from pathlib import Path

import keras
import tensorflow as tf

from stackgan_tf.saved_models.saved_model import write_saved_model


class ClassifierModule(tf.__internal__.tracking.AutoTrackable):
    """The object inside the SavedModel.

    Called with images, float32 `[N, s, s, 3]` in [0, 1], it returns `features` `[N, F]` and `probabilities` `[N, C]`.
    `image_size()`, s, is a function, because plain attributes are not saved.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self._network = network
        size = network.size
        image = tf.TensorSpec((None, size, size, 3), tf.float32, name='image')

        def classify(image: tf.Tensor) -> dict[str, tf.Tensor]:
            return dict(zip(('features', 'probabilities'), network.extract(image * 2.0 - 1.0), strict=True))

        self.__call__ = tf.function(classify, input_signature=[image])
        self.image_size = tf.function(lambda: tf.constant(size), input_signature=[])
        self.signatures_by_name = {'serving_default': self.__call__}


def export_classifier(network: keras.Model, target: Path) -> None:
    """Writes a classifier as a SavedModel; the folder appears only when it is complete.

    Args:
        network: a built classifier of attributes or classes.
        target: the folder to create.

    Raises:
        UserError: the folder exists.
    """
    write_saved_model(ClassifierModule(network), target)
