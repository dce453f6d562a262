"""From a picture to a random square of it: shorter side to the load size, then a crop, as in the released code.

Resizing is Pillow's: bilinear, antialiased. Only what the crop shows is resized: the same pixels at less cost.
"""

import functools
import io
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from stackgan_tf.data.picture import decode


def load_size(size: int) -> int:
    """The length that a picture's shorter side gets before a crop of `size` pixels is cut: 76/64 of it."""
    return size * 76 // 64


def resized_shape(shape: Sequence[int], shorter_side: int) -> tuple[int, int]:
    """The shape that a picture gets when its shorter side becomes `shorter_side`, aspect ratio kept."""
    shorter = min(shape)
    height, width = ((side * shorter_side + shorter // 2) // shorter for side in shape)
    return height, width


def corners(shapes: np.ndarray, size: int, draws: np.ndarray) -> np.ndarray:
    """Where crops begin: int64 `[N, 2]`, for the shapes `[N, 2]` of resized pictures and draws `[N, 2]` in [0, 1)."""
    positions = shapes - size + 1  # how many there are in each direction
    return (draws * positions.astype(np.float32)).astype(np.int64)


def random_crop(encoded: bytes, size: int, draws: np.ndarray) -> np.ndarray:
    """Resizes the shorter side to `load_size(size)`, aspect ratio kept, and cuts a square.

    Args:
        encoded: a picture file.
        size: s, of the crop.
        draws: float32 `[2]` in [0, 1): vertical and horizontal position of the crop.

    Returns:
        uint8 `[s, s, 3]`.

    Raises:
        BadPictureError: the file cannot be decoded.
    """
    image = decode(io.BytesIO(encoded), load_size(size))
    shape = resized_shape((image.height, image.width), load_size(size))
    ((top, left),) = corners(np.array([shape]), size, draws[None])
    vertical, horizontal = image.height / shape[0], image.width / shape[1]
    box = (left * horizontal, top * vertical, (left + size) * horizontal, (top + size) * vertical)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box))


def random_crops(encoded: tf.Tensor, size: int, draws: tf.Tensor) -> tf.Tensor:
    """`random_crop` of several pictures, inside a graph.

    Args:
        encoded: string `[N]`.
        size: s, of the crops.
        draws: float32 `[N, 2]` in [0, 1).

    Returns:
        uint8 `[N, s, s, 3]`.
    """
    cut = functools.partial(_random_crops, size=size)
    crops = tf.numpy_function(cut, [encoded, draws], tf.uint8, stateful=False)
    return tf.ensure_shape(crops, (*encoded.shape, size, size, 3))


def _random_crops(encoded: np.ndarray, draws: np.ndarray, size: int) -> np.ndarray:
    return np.stack([random_crop(picture, size, draw) for picture, draw in zip(encoded, draws, strict=True)])
