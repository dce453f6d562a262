"""Feature extractors: networks that map images to feature vectors and, optionally, to class probabilities."""

import abc
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from stackgan_tf.evaluation.resizing import RESIZES
from stackgan_tf.system.errors import UserError


class Features(NamedTuple):
    """The outputs of a feature extractor for N images.

    Attributes:
        features: float32 `[N, D]`.
        probabilities: p(y|x), float32 `[N, C]`; None if the extractor has no classes.
    """

    features: np.ndarray
    probabilities: np.ndarray | None


class FeatureExtractor(abc.ABC):
    """A network whose features are compared by metrics.

    Args:
        name: for people.
        fingerprint: a hash of its weights.
        size: its input size, pixels.
        resize: how images are resized to that size, a key of `RESIZES`.

    Raises:
        UserError: the resize does not exist.
    """

    def __init__(self, name: str, fingerprint: str, size: int, resize: str) -> None:
        if resize not in RESIZES:
            raise UserError(f'there is no resize {resize!r}: there are {", ".join(RESIZES)}')
        self.name = name
        self.fingerprint = fingerprint
        self.size = size
        self.resize = resize
        self._traced = tf.function(self._resize_and_extract, reduce_retracing=True)

    @property
    def title(self) -> str:
        """Everything that its features depend on, in one line."""
        return f'{self.name} (weights {self.fingerprint}), {self.resize} resize to {self.size} pixels'

    def __call__(self, images: np.ndarray) -> Features:
        """Extracts the features of uint8 images `[N, h, w, 3]`.

        Raises:
            UserError: the images have another type or shape, or an output is not finite.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
            raise UserError(
                f'scores need images of integers 0..255 with three channels, uint8 [N, s, s, 3], not '
                f'{images.dtype} {list(images.shape)}: convert them first'
            )
        features, probabilities = self._traced(tf.constant(images))
        for output in (features, probabilities):
            if output is not None and not np.isfinite(output).all():
                raise UserError(f'{self.name} gives values that are not finite: its weights are broken')
        return Features(features.numpy(), None if probabilities is None else probabilities.numpy())

    def _resize_and_extract(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        if images.shape[1:3] == (self.size, self.size):
            return self.extract(tf.cast(images, tf.float32))
        return self.extract(RESIZES[self.resize](images, self.size))

    @abc.abstractmethod
    def extract(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Features `[N, D]`, and probabilities `[N, C]` or None, of float32 images `[N, size, size, 3]` in 0..255."""


def fingerprint_of(variables: Iterable[tf.Variable]) -> str:
    """A hash of weights."""
    hashed = hashlib.sha256()
    for variable in variables:
        hashed.update(variable.numpy().tobytes())
    return hashed.hexdigest()[:16]
