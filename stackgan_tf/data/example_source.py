"""Where pictures come from: anything that has a number of examples and cuts crops of any of them in a tf.data graph.

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

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """Squares out of pictures whose shorter side is made `load_size(size)`; see `random_crop`.

        Args:
            indices: int64 `[N]` in [0, count), of the examples.
            draws: float32 `[N, 2]` in [0, 1): vertical and horizontal position of each crop.
            size: s, of the crops.

        Returns:
            uint8 `[N, s, s, 3]`.
        """

    def captions(self, indices: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """One caption of each example: string `[N]`, empty where there is none.

        Args:
            indices: int64 `[N]` in [0, count), of the examples.
            draws: float32 `[N]` in [0, 1), which of its captions.

        Raises:
            UserError: the data set has no captions.
        """

    def labels(self, indices: tf.Tensor) -> tf.Tensor:
        """The class of each example: int32 `[N]`. Without classes every example is its own."""
