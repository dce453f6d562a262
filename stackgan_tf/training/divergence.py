"""A run whose numbers are no numbers any more: what was first, found by going through the same steps again."""

import math
from collections.abc import Mapping

import keras
import tensorflow as tf

from stackgan_tf.models.trained_model import TrainedModel, variables_of


class DivergedError(Exception):
    """Something of a run is infinite or no number.

    Attributes:
        step: after which this was seen; it may have come earlier.
        what: it is.
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f'{what} not finite after step {step:,}')
        self.step = step
        self.what = what


def check_record(step: int, record: Mapping[str, float]) -> None:
    """Looks at the means of a tick, or of a step.

    Raises:
        DivergedError: one is not finite.
    """
    broken = [name for name, value in record.items() if not math.isfinite(value)]
    if broken:
        raise DivergedError(step, f'{", ".join(broken)} {"is" if len(broken) == 1 else "are"}')


def check_weights(step: int, model: TrainedModel) -> None:
    """Looks at the weights of all networks.

    Raises:
        DivergedError: one is not finite.
    """
    for name, network in model.networks().items():
        values = [value for value in variables_of(network) if value.dtype.is_floating]
        if not all(bool(tf.reduce_all(tf.math.is_finite(value))) for value in values):
            raise DivergedError(step, f'weights of the {name} are')


class StepByStep(keras.callbacks.Callback):
    """Looks at every step, of which an epoch of Keras has one, and raises `DivergedError` at the first that breaks."""

    def __init__(self, model: TrainedModel, step: int) -> None:
        super().__init__()
        self._trained = model
        self.step = step
        model.take_record(1)  # of a tick that was at work

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Looks at a step."""
        self.step += 1
        check_record(self.step, self._trained.take_record(1))
        check_weights(self.step, self._trained)
