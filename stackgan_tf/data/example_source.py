"""Where examples come from: anything that has a number of examples and gives the i-th one inside a tf.data graph.

Random access is what makes order, crop, flip and partner functions of (seed, global example index) alone, and going on
after an interruption exact.
"""

from typing import Protocol

import tensorflow as tf


class ExampleSource(Protocol):
    """A data set of one split."""

    @property
    def count(self) -> int:
        """How many examples there are."""

    def example(self, index: tf.Tensor) -> dict[str, tf.Tensor]:
        """The example at `index`, an int64 scalar in [0, count).

        Returns:
            `image`, the encoded bytes of a picture (a string scalar), and what else the data set has.
        """
