"""The base of all networks."""

from typing import Any

import keras


class Network(keras.Model):
    """A Keras model whose `get_config` gives the constructor's arguments, as that of a layer does.

    The arguments must be strings, numbers, None or sequences of them; otherwise `get_config` raises.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> 'Network':
        """Lets Keras record the arguments; `keras.Model.__new__` drops them, and the defaults are recorded."""
        return super(keras.Model, cls).__new__(cls, *args, **kwargs)
