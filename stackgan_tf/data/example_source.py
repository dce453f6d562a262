"""Where examples come from: anything that has a number of examples and gives any of them inside a tf.data graph.

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

    def examples(self, indices: tf.Tensor) -> dict[str, tf.Tensor]:
        """The examples at `indices`, int64 `[N]` in [0, count).

        Returns:
            `image`, the encoded bytes of pictures (string `[N]`), and what else the data set has.
        """
