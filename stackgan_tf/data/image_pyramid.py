"""From an encoded picture to the same crop at every scale of the tree (StackGAN++, "Implementation details").

All resizing is bilinear and antialiased, as Pillow's in the released code.
"""

from collections.abc import Sequence

import tensorflow as tf


def load_size(size: int) -> int:
    """The length that a picture's shorter side gets before a crop of `size` pixels is cut: 76/64 of it."""
    return size * 76 // 64


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes PNG, JPEG, GIF, BMP or WebP bytes to uint8 `[H, W, 3]`."""
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(image, (None, None, 3))


def random_crop(image: tf.Tensor, size: int, draws: tf.Tensor) -> tf.Tensor:
    """Resizes the shorter side to `load_size(size)`, aspect ratio kept, cuts a square and perhaps flips it.

    Args:
        image: uint8 `[H, W, 3]`.
        size: s, of the crop.
        draws: float32 `[3]` in [0, 1): vertical and horizontal position of the crop, and whether to flip (from 0.5 up).

    Returns:
        float32 `[s, s, 3]`, whole numbers in [0, 255].
    """
    image = _resize_shorter_side(image, load_size(size))
    room = tf.shape(image)[:2] - size + 1  # number of positions in each direction
    top, left = tf.unstack(tf.cast(draws[:2] * tf.cast(room, tf.float32), tf.int32))
    crop = tf.slice(image, (top, left, 0), (size, size, 3))
    return tf.cond(draws[2] < 0.5, lambda: crop, lambda: tf.reverse(crop, axis=[1]))


def image_pyramid(crops: tf.Tensor, sizes: Sequence[int]) -> tuple[tf.Tensor, ...]:
    """Scales crops down to every size of the tree, so that all scales show the same.

    Args:
        crops: float32 `[N, s, s, 3]` in [0, 255], s the last of `sizes`.
        sizes: small to large.

    Returns:
        float32 `[N, s, s, 3]` in [-1, 1] for each size, small to large.
    """
    largest = crops / 127.5 - 1.0
    smaller = [tf.image.resize(largest, (size, size), antialias=True) for size in sizes[:-1]]
    return (*smaller, largest)


def _resize_shorter_side(image: tf.Tensor, target: int) -> tf.Tensor:
    """float32, with the shorter side `target` long; untouched where it is so already."""
    shape = tf.shape(image)[:2]
    shorter = tf.reduce_min(shape)

    def resize() -> tf.Tensor:
        # Integer arithmetic: the shorter side comes out exact.
        resized = tf.image.resize(image, (shape * target + shorter // 2) // shorter, antialias=True)
        return tf.round(resized)  # as a picture file would hold it

    return tf.cond(shorter == target, lambda: tf.cast(image, tf.float32), resize)
