"""A measured number with its spread, sample count and protocol."""

import dataclasses
import math

import numpy as np

from stackgan_tf.system.errors import UserError


@dataclasses.dataclass(frozen=True)
class Score:
    """A measured number.

    Attributes:
        value: finite.
        spread: its uncertainty; None if unknown.
        count: number of measurements, images or pairs.
        spread_is: the kind of spread, for people.
        protocol: everything else that the number depends on, in one line.

    Raises:
        UserError: the value is not finite, and so never appears as a score.
    """

    value: float
    spread: float | None
    count: int
    spread_is: str = 'standard error'
    protocol: str = ''

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise UserError(
                f'a score of {self.count:,} measurements is {self.value}, which is not a score: its features or '
                'probabilities are broken; try another --features'
            )


def mean_score(measured: np.ndarray) -> Score:
    """The mean of independent measurements `[N]`, with its standard error; 0 for a single one."""
    count = len(measured)
    error = float(np.std(measured, ddof=1) / np.sqrt(count)) if count > 1 else 0.0
    return Score(float(np.mean(measured)), error, count)
