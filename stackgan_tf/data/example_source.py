"""The interface of a data set: a number of examples, and crops of any of them in a tf.data graph.

Random access makes order, crop, flip and partner functions of (seed, global example index) alone, and a resumed run
exact.
"""

import abc
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.random_crop import load_size
from stackgan_tf.system.errors import UserError


class ExampleSource(abc.ABC):
    """One split of a data set. Subclasses override the methods for captions, labels, ... that they have.

    Attributes:
        title: what messages call it.
    """

    title: str

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """How many examples there are."""

    @abc.abstractmethod
    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """Square crops of images whose shorter side is resized to `load_size(size)`; see `random_crop`.

        Args:
            indices: int64 `[N]` in [0, count), of the examples.
            draws: float32 `[N, 2]` in [0, 1): vertical and horizontal position of each crop.
            size: s, of the crops.

        Returns:
            uint8 `[N, s, s, 3]`.
        """

    def load_size(self, size: int) -> int:
        """The length that an image's shorter side gets before a crop of `size` pixels is cut."""
        return load_size(size)

    def check_size(self, size: int) -> None:  # noqa: B027 - nothing to check is the usual case
        """Checks that `crops` can cut squares of `size` pixels; most sources cut any.

        Raises:
            UserError: it cannot.
        """

    def check_captions(self) -> None:  # noqa: B027 - most sources know only once they are read
        """Checks, before any image is read, that `captions` finds some.

        Raises:
            UserError: it does not.
        """

    def caption_lists(self) -> list[list[str | bytes]]:
        """The captions of each example that has some, where possible before any image is read.

        Raises:
            UserError: the data set has none.
        """
        captions = self.captions()
        lists = np.split(captions.texts, captions.index.first[1:])
        return [texts.tolist() for texts, missing in zip(lists, captions.missing, strict=True) if not missing]

    @property
    def fingerprint(self) -> str:
        """Identifies the examples wherever their files are; empty if that is not known."""
        return ''

    @property
    def class_names(self) -> Sequence[str]:
        """The classes in the order of their labels; empty if there are none."""
        return ()

    def captions(self) -> Captions:
        """The captions of all examples.

        Raises:
            UserError: the data set has none.
        """
        raise self._lacks('captions')

    def stored_embeddings(self) -> Sequence[np.ndarray]:
        """Embeddings of captions that the data set includes: float32 `[K, T]` of each example.

        Raises:
            UserError: the data set has none.
        """
        raise self._lacks('stored embeddings')

    def labels(self) -> np.ndarray:
        """The class of each example: int32 `[count]` from 0 on. Without classes every example is its own."""
        return np.arange(self.count, dtype=np.int32)

    def attributes(self) -> np.ndarray:
        """The attributes of each image: int32 `[count, A]`, each column a choice of 0, 1, ...

        Raises:
            UserError: the data set has none.
        """
        raise self._lacks('attributes')

    def unnamed_attributes(self) -> np.ndarray:
        """Further attributes, which no caption names, of each image and of its mirror image: int32 `[count, 2, U]`.

        Without such attributes U is 0.
        """
        return np.zeros((self.count, 2, 0), np.int32)

    def caption_attributes(self) -> np.ndarray:
        """Which attributes each caption names: bool `[R, A]`, rows as in `captions().texts`.

        Raises:
            UserError: the data set has none.
        """
        raise self._lacks('attributes of captions')

    def _lacks(self, what: str) -> UserError:
        return UserError(f'{self.title} has no {what}, which this recipe needs')
