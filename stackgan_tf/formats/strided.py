"""A tensor's view of its storage: Torch and PyTorch both write flat numbers, with sizes, strides and an offset."""

import math

import numpy as np


def strided(
    storage: np.ndarray, sizes: tuple[int, ...], strides: tuple[int, ...], offset: int, most: int
) -> np.ndarray:
    """A tensor's view of its storage, without a copy.

    Args:
        storage: flat.
        sizes: of the tensor.
        strides: in elements, one a size.
        offset: of its first element.
        most: the maximum size, bytes. Strides of 0 can make it larger than its storage.

    Returns:
        A read-only view.

    Raises:
        ValueError: the view is invalid; the text completes `it has a tensor that is ...`.
    """
    strides = tuple(0 if size == 1 else stride for size, stride in zip(sizes, strides, strict=True))
    if offset < 0 or min(sizes, default=1) < 1 or min(strides, default=0) < 0:
        raise ValueError('of impossible shape')
    if offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True)) >= len(storage):
        raise ValueError('larger than its storage')
    if math.prod(sizes) * storage.itemsize > most:
        raise ValueError('absurdly large')
    steps = tuple(stride * storage.itemsize for stride in strides)
    view = np.ndarray(sizes, storage.dtype, storage, offset * storage.itemsize, steps)
    view.flags.writeable = False
    return view
