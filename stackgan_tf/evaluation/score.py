"""A measured number, with how sure it is and of how much it was measured."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Score:
    """A mean over independent measurements.

    Attributes:
        value: the mean.
        standard_error: of the mean; 0 of a single measurement.
        count: how many measurements.
    """

    value: float
    standard_error: float
    count: int


def mean_score(measured: np.ndarray) -> Score:
    """The score of measurements `[N]`."""
    count = len(measured)
    error = float(np.std(measured, ddof=1) / np.sqrt(count)) if count > 1 else 0.0
    return Score(float(np.mean(measured)), error, count)
