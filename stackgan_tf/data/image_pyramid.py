"""The image pyramid: crops at every scale of the tree (StackGAN++, "Implementation details").

The lower scales are what Pillow's antialiased bilinear resizing makes of the crop, as in the released code. Its weights
are the same everywhere but at the borders, because scales are powers of two apart; so they are summed directly. XLA
compiles three small programs of it, which is faster than one: that would compute sums of rows anew for every column.
"""

from collections.abc import Sequence

import tensorflow as tf


def image_pyramid(crops: tf.Tensor, flips: tf.Tensor, sizes: Sequence[int]) -> tuple[tf.Tensor, ...]:
    """Mirrors some crops and resizes them to every size of the tree.

    Args:
        crops: uint8 `[N, s, s, 3]`, s the last of `sizes`.
        flips: bool `[N]`, which of them to mirror.
        sizes: small to large, powers of two apart.

    Returns:
        float32 `[N, s, s, 3]` in [-1, 1] for each size, small to large.
    """
    largest = _scaled(crops, flips)
    factors = [sizes[-1] // size for size in sizes[:-1]]
    return (*_reduce_columns(_reduce_rows(largest, factors), factors), largest)


@tf.function(jit_compile=True)
def _scaled(crops: tf.Tensor, flips: tf.Tensor) -> tf.Tensor:
    mirrored = tf.where(flips[:, None, None, None], tf.reverse(crops, axis=[2]), crops)
    return tf.cast(mirrored, tf.float32) * (1 / 127.5) - 1.0


@tf.function(jit_compile=True)
def _reduce_rows(images: tf.Tensor, factors: Sequence[int]) -> list[tf.Tensor]:
    """`[N, s / factor, s, 3]` for each factor."""
    count, height, width, channels = images.shape
    rows = tf.reshape(images, (count, height, width * channels))
    return [tf.reshape(_reduce(rows, factor), (count, height // factor, width, channels)) for factor in factors]


@tf.function(jit_compile=True)
def _reduce_columns(images: Sequence[tf.Tensor], factors: Sequence[int]) -> list[tf.Tensor]:
    """`[N, h, s / factor, 3]` for each image `[N, h, s, 3]` and its factor."""
    reduced = []
    for image, factor in zip(images, factors, strict=True):
        count, height, width, channels = image.shape
        columns = tf.reshape(image, (count * height, width, channels))
        reduced.append(tf.reshape(_reduce(columns, factor), (count, height, width // factor, channels)))
    return reduced


def _reduce(x: tf.Tensor, factor: int) -> tf.Tensor:
    """Reduces the middle axis of `[A, n * factor, B]` with a triangle filter that spans 2 * factor elements."""
    half = factor // 2
    # Each result sums a block of `factor` elements, and half a block before and after it.
    weights = [(position + 0.5) / factor**2 for position in range(factor)]
    weights += weights[::-1]
    rest, length, width = x.shape
    blocks = tf.unstack(tf.reshape(x, (rest, length // factor, factor, width)), axis=2)
    inside = tf.add_n([weights[half + i] * block for i, block in enumerate(blocks)])
    from_before = tf.add_n([weights[i] * block for i, block in enumerate(blocks[-half:])])
    from_after = tf.add_n([weights[half + factor + i] * block for i, block in enumerate(blocks[:half])])
    before = tf.pad(from_before[:, :-1], ((0, 0), (1, 0), (0, 0)))
    after = tf.pad(from_after[:, 1:], ((0, 0), (0, 1), (0, 0)))
    # At the borders the filter is cut off, and the rest of it is normalized.
    total = [1.0] * (length // factor)
    total[0] -= sum(weights[:half])
    total[-1] -= sum(weights[:half])
    return (inside + before + after) / tf.constant(total)[:, None]
