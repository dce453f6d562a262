"""The shapes in a weights file, from which the settings of its network follow before anything is built."""

from collections.abc import Mapping

import numpy as np

# Bounds on the networks that a file can ask for: the released ones have at most 3,072 channels and 2 residual blocks.
_MOST_NUMBERS = 16384
_MOST_CHANNELS = 4096
_MOST_LAYERS = 16


class UnknownNetworkError(Exception):
    """The network is not one of the release; the message says why, to be put after the network's name."""


class Shapes:
    """The shapes of weights by their key."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self._shapes = {key: value.shape for key, value in weights.items()}

    def has(self, key: str) -> bool:
        """Whether there is such a weight."""
        return key in self._shapes

    def count(self, key: str, first: int) -> int:
        """The number of weights whose keys have `first`, `first + 1`, ... in place of `{}`."""
        number = first
        while self.has(key.format(number)):
            number += 1
        if number - first > _MOST_LAYERS:
            raise UnknownNetworkError(f'it has {number - first} layers {key.format("N")!r}')
        return number - first

    def dimension(self, key: str, axis: int) -> int:
        """One number of a weight's shape.

        Raises:
            UnknownNetworkError: there is no such weight, it has no such axis, or more than any network has.
        """
        if key not in self._shapes:
            raise UnknownNetworkError(f'it lacks {key}')
        shape = self._shapes[key]
        if axis >= len(shape) or shape[axis] > _MOST_NUMBERS:
            raise UnknownNetworkError(f'{key} has the shape {shape}')
        return shape[axis]


def remaining(total: int, taken: int, what: str) -> int:
    """How many inputs of a layer are left for `what`.

    Raises:
        UnknownNetworkError: none are left.
    """
    if total <= taken:
        raise UnknownNetworkError(f'it reads {total} numbers, which leaves none for {what}')
    return total - taken


def check_channels(width: int, doublings: int) -> None:
    """Checks that a network fits into memory.

    Args:
        width: channels of the narrowest map.
        doublings: how often they double from there.

    Raises:
        UnknownNetworkError: it has too many channels, or none.
    """
    if not 0 < width << doublings <= _MOST_CHANNELS:
        raise UnknownNetworkError(f'it would have {width << doublings} channels')
