"""A measured number, with how sure it is and of how much it was measured."""

import dataclasses
import math

import numpy as np

from stackgan_tf.system.errors import UserError


@dataclasses.dataclass(frozen=True)
class Score:
    """A number that was measured.

    Attributes:
        value: finite.
        spread: how far it may be off; None where nothing is known of that.
        count: how many measurements, pictures or pairs it is of.
        spread_is: what the spread is.
        protocol: everything else that the number depends on, one line.

    Raises:
        UserError: the value is no number. Such a thing is never shown as a score.
    """

    value: float
    spread: float | None
    count: int
    spread_is: str = 'standard error'
    protocol: str = ''

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise UserError(
                f'a score of {self.count:,} came out as {self.value}, which is no score: the features or probabilities '
                'it is made of are broken; try another --features'
            )


def mean_score(measured: np.ndarray) -> Score:
    """The mean of independent measurements `[N]`, with its standard error; 0 of a single one."""
    count = len(measured)
    error = float(np.std(measured, ddof=1) / np.sqrt(count)) if count > 1 else 0.0
    return Score(float(np.mean(measured)), error, count)
