"""The captions of a data set, of which training draws one at a time."""

from collections.abc import Iterable, Sequence

import tensorflow as tf


class Captions:
    """Captions by example, held in memory.

    Args:
        captions: of every example; an example may have none, and is then given an empty one.
    """

    def __init__(self, captions: Iterable[Sequence[str | bytes]]) -> None:
        self._captions = tf.ragged.constant([list(each) or [''] for each in captions], dtype=tf.string)

    def drawn(self, indices: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """One caption of each example.

        Args:
            indices: int64 `[N]`, of the examples.
            draws: float32 `[N]` in [0, 1), which of its captions.

        Returns:
            string `[N]`.
        """
        first = tf.gather(self._captions.row_starts(), indices)
        count = tf.gather(self._captions.row_lengths(), indices)
        chosen = first + tf.cast(draws * tf.cast(count, tf.float32), tf.int64)
        return tf.gather(self._captions.flat_values, chosen)
