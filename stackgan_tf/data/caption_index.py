"""Draws one of an example's captions, or of their embeddings."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


class CaptionIndex:
    """Maps examples to the rows of a table: each example owns one or more rows, in the order of the examples.

    Args:
        counts: how many rows each example has; at least one.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self.counts = np.asarray(counts, np.int64)
        self.first = np.cumsum(self.counts) - self.counts

    def positions(self, indices: tf.Tensor, draws: tf.Tensor, offset: int = 0) -> tf.Tensor:
        """One row of each example.

        Args:
            indices: int64 `[N]`, of the examples.
            draws: float32 `[N]` in [0, 1), which of their rows.
            offset: how many rows after that one; wraps around after the example's last.

        Returns:
            int64 `[N]` in [0, rows).
        """
        counts = tf.gather(self.counts, indices)
        drawn = tf.cast(draws * tf.cast(counts, tf.float32), tf.int64)
        return tf.gather(self.first, indices) + (drawn + offset) % counts
