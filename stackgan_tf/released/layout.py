"""The mapping between our weights and the released ones: keys, and PyTorch's memory layout."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np

from stackgan_tf.networks.scales import SEED_SIZE

PREFIX = 'module.'  # of all keys of a network saved inside a `DataParallel`, as v2's are
COUNTERS = '.num_batches_tracked'  # of batch normalization, since PyTorch 0.4.1; not used


class Layout(NamedTuple):
    """Converts one of our arrays to the released layout and back."""

    to_theirs: Callable[[np.ndarray], np.ndarray]
    to_ours: Callable[[np.ndarray], np.ndarray]


class ReleasedWeight(NamedTuple):
    """A weight of a network, under the key of the released files (without `PREFIX`)."""

    key: str
    variable: keras.Variable
    layout: Layout

    def value(self) -> np.ndarray:
        """The value in PyTorch's layout, float32; possibly a view."""
        return self.layout.to_theirs(self.variable.numpy())

    def shape(self) -> tuple[int, ...]:
        """The shape of `value`: ours reversed, but (out, in, height, width) for convolutions."""
        shape = tuple(self.variable.shape)
        return shape[:1:-1] + shape[:2] if self.layout is CONVOLUTION else shape[::-1]

    def assign(self, value: np.ndarray) -> None:
        """Assigns a value from a released file."""
        self.variable.assign(self.layout.to_ours(value))


def _transposed(*axes: int) -> Layout:
    back = tuple(int(axis) for axis in np.argsort(axes))
    return Layout(lambda ours: ours.transpose(axes), lambda theirs: theirs.transpose(back))


VECTOR = _transposed(0)
MATRIX = _transposed(1, 0)  # [in, out] is (out, in)
CONVOLUTION = _transposed(3, 2, 0, 1)  # [height, width, in, out] is (out, in, height, width)


def maps(parts: int) -> Layout:
    """The layout of a dense layer whose outputs are reshaped to 4x4 maps: its kernel, or vectors over its outputs.

    Channels are the last axis of a map here, and the first in PyTorch. Before a gated linear unit there are two such
    maps, values and then gates: `parts` is 2.
    """

    def to_theirs(ours: np.ndarray) -> np.ndarray:
        rows = ours.T.reshape(parts, SEED_SIZE, SEED_SIZE, -1, *ours.shape[:-1])
        return np.moveaxis(rows, 3, 1).reshape(ours.T.shape)

    def to_ours(theirs: np.ndarray) -> np.ndarray:
        rows = theirs.reshape(parts, -1, SEED_SIZE, SEED_SIZE, *theirs.shape[1:])
        return np.moveaxis(rows, 1, 3).reshape(theirs.shape).T

    return Layout(to_theirs, to_ours)


def convolution(key: str, layer: keras.layers.Layer) -> Iterator[ReleasedWeight]:
    """A convolution's kernel, and its bias if it has one."""
    yield ReleasedWeight(f'{key}.weight', layer.kernel, CONVOLUTION)
    if getattr(layer, 'bias', None) is not None:
        yield ReleasedWeight(f'{key}.bias', layer.bias, VECTOR)


def dense(key: str, layer: keras.layers.Dense, layout: Layout = MATRIX) -> Iterator[ReleasedWeight]:
    """A dense layer's kernel, and its bias if it has one."""
    yield ReleasedWeight(f'{key}.weight', layer.kernel, layout)
    if layer.bias is not None:
        yield ReleasedWeight(f'{key}.bias', layer.bias, VECTOR)


def batch_normalization(
    key: str, layer: keras.layers.BatchNormalization, layout: Layout = VECTOR
) -> Iterator[ReleasedWeight]:
    """Batch normalization: both sides use the moving variance as it is stored, with the same epsilon."""
    yield ReleasedWeight(f'{key}.weight', layer.gamma, layout)
    yield ReleasedWeight(f'{key}.bias', layer.beta, layout)
    yield ReleasedWeight(f'{key}.running_mean', layer.moving_mean, layout)
    yield ReleasedWeight(f'{key}.running_var', layer.moving_variance, layout)


def normalized(
    key: str, first: int, layer: keras.layers.Layer, norm: keras.layers.BatchNormalization
) -> Iterator[ReleasedWeight]:
    """A convolution and the batch normalization after it, at places `first` and `first + 1` of a sequence."""
    yield from convolution(f'{key}.{first}', layer)
    yield from batch_normalization(f'{key}.{first + 1}', norm)
