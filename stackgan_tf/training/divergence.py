"""Numbers that are not finite: checks, and the first cause, found by repeating the same steps."""

import math
from collections.abc import Mapping

import keras
import tensorflow as tf

from stackgan_tf.models.trained_model import TrainedModel, variables_of


class DivergedError(Exception):
    """A number of a run is infinite or NaN.

    Attributes:
        step: after which the check found it; it may have come earlier.
        what: its name, with the verb.
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f'{what} not finite after step {step:,}')
        self.step = step
        self.what = what


def check_record(step: int, record: Mapping[str, float]) -> None:
    """Checks the means of a tick, or of a step.

    Raises:
        DivergedError: one is not finite.
    """
    broken = [name for name, value in record.items() if not math.isfinite(value)]
    if broken:
        raise DivergedError(step, f'{", ".join(broken)} {"is" if len(broken) == 1 else "are"}')


def check_weights(step: int, model: TrainedModel) -> None:
    """Checks the weights of all networks.

    Raises:
        DivergedError: one is not finite.
    """
    for name, network in model.networks().items():
        values = [value for value in variables_of(network) if value.dtype.is_floating]
        if not all(bool(tf.reduce_all(tf.math.is_finite(value))) for value in values):
            raise DivergedError(step, f'weights of the {name} are')


class StepByStep(keras.callbacks.Callback):
    """Checks every step, one to an epoch of Keras; raises `DivergedError` at the first that is not finite."""

    def __init__(self, model: TrainedModel, step: int) -> None:
        super().__init__()
        self._trained = model
        self.step = step
        model.take_record(1)  # drops the sums of an unfinished tick

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Checks a step."""
        self.step += 1
        check_record(self.step, self._trained.take_record(1))
        check_weights(self.step, self._trained)
