"""The examples of a source that have captions, or another condition."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.system.errors import UserError


def examples_with_condition(missing: np.ndarray | None, count: int) -> np.ndarray:
    """The examples to draw conditions from. Those without one have a placeholder, which stands for no image.

    Args:
        missing: bool `[count]`, the examples without a condition; None: each has one.
        count: how many examples there are.

    Returns:
        int64 `[K]` in [0, count), ascending.

    Raises:
        UserError: no example has a condition.
    """
    examples = np.arange(count) if missing is None else np.flatnonzero(~missing)
    if not len(examples):
        raise UserError(f'none of the {count} images has a caption: give captions to some')
    return examples


class CaptionedExamples(ExampleSource):
    """A source restricted to its examples with captions.

    Raises:
        UserError: no example has a caption.
    """

    def __init__(self, source: ExampleSource) -> None:
        self._source = source
        self._captions = source.captions()
        self._kept = examples_with_condition(self._captions.missing, source.count)
        self.title = f'{source.title} (with captions)'

    @property
    def count(self) -> int:
        """How many examples have captions."""
        return len(self._kept)

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """uint8 `[N, size, size, 3]` of the examples at `indices`; see `ExampleSource`."""
        return self._source.crops(tf.gather(tf.constant(self._kept), indices), draws, size)

    def load_size(self, size: int) -> int:
        """See `ExampleSource`."""
        return self._source.load_size(size)

    def check_size(self, size: int) -> None:
        """See `ExampleSource`."""
        self._source.check_size(size)

    @property
    def fingerprint(self) -> str:
        """See `ExampleSource`."""
        return self._source.fingerprint

    @property
    def class_names(self) -> Sequence[str]:
        """The classes in the order of their labels; see `ExampleSource`."""
        return self._source.class_names

    def captions(self) -> Captions:
        """The captions of the examples that have some."""
        first, counts = self._captions.index.first, self._captions.index.counts
        return Captions(self._captions.texts[first[i] : first[i] + counts[i]].tolist() for i in self._kept)

    def stored_embeddings(self) -> Sequence[np.ndarray]:
        """float32 `[K, T]` of each example; see `ExampleSource`."""
        stored = self._source.stored_embeddings()
        return [stored[i] for i in self._kept.tolist()]

    def attributes(self) -> np.ndarray:
        """int32 `[count, A]`; see `ExampleSource`."""
        return self._source.attributes()[self._kept]

    def unnamed_attributes(self) -> np.ndarray:
        """int32 `[count, 2, U]`; see `ExampleSource`."""
        return self._source.unnamed_attributes()[self._kept]

    def labels(self) -> np.ndarray:
        """int32 `[count]`; see `ExampleSource`."""
        return self._source.labels()[self._kept]
