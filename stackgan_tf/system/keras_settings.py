"""Keras's global settings: `keras.json` in the user's folder, and `KERAS_BACKEND`, maybe meant for other programs.

Networks and losses run on every backend. Models, text encoders and commands need TensorFlow, and the defaults of Keras.
"""

import os
import sys

from stackgan_tf.system.errors import UserError

BACKEND = 'tensorflow'
_VARIABLE = 'KERAS_BACKEND'
_SETTINGS = {'floatx': 'float32', 'image_data_format': 'channels_last'}


def prefer_tensorflow() -> None:
    """Selects TensorFlow as the backend, unless Keras is imported."""
    if 'keras' not in sys.modules:
        os.environ[_VARIABLE] = BACKEND


def check_keras() -> None:
    """Checks the backend and the settings, in a process that may have other uses of Keras.

    Raises:
        UserError: they are others than models need.
    """
    _check_backend()
    import keras

    for name, needed in _SETTINGS.items():
        if (found := getattr(keras.config, name)()) != needed:
            raise UserError(
                f"the models of stackgan_tf need Keras's {name} = {needed!r}, it is {found!r}: call "
                f'keras.config.set_{name}({needed!r}) first, or change keras.json'
            )


def set_keras() -> None:
    """Selects the backend and the settings, in a process of this package's own.

    Raises:
        UserError: Keras was imported with another backend.
    """
    _check_backend()
    import keras

    for name, needed in _SETTINGS.items():
        getattr(keras.config, f'set_{name}')(needed)
    keras.config.set_epsilon(1e-7)


def _check_backend() -> None:
    prefer_tensorflow()
    import keras

    if keras.config.backend() != BACKEND:
        raise UserError(
            f'Keras runs on {keras.config.backend()}, the models of stackgan_tf on TensorFlow: set '
            f'{_VARIABLE}={BACKEND} before Keras is imported (networks and losses run on any backend)'
        )
