"""From an encoded picture to a random square of it: shorter side to the load size, then a crop, as in the released code.

Resizing is bilinear and antialiased, as Pillow's. Only what the crop shows is resized, and of a JPEG only that is decoded
to pixels, which changes the cost and not the result.
"""

import tensorflow as tf


def load_size(size: int) -> int:
    """The length that a picture's shorter side gets before a crop of `size` pixels is cut: 76/64 of it."""
    return size * 76 // 64


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes PNG, JPEG, GIF, BMP or WebP bytes to uint8 `[H, W, 3]`."""
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(image, (None, None, 3))


def random_crop(encoded: tf.Tensor, size: int, draws: tf.Tensor) -> tf.Tensor:
    """Resizes the shorter side to `load_size(size)`, aspect ratio kept, and cuts a square.

    Args:
        encoded: a picture's bytes, a string scalar.
        size: s, of the crop.
        draws: float32 `[2]` in [0, 1): vertical and horizontal position of the crop.

    Returns:
        uint8 `[s, s, 3]`.
    """

    def jpeg() -> tf.Tensor:
        shape = tf.io.extract_jpeg_shape(encoded)[:2]
        begin, extent, scale, shift = _source_window(shape, size, draws)
        # The decoder guesses chroma at the end of what it decodes: two pixels more, and it need not.
        more = tf.minimum(begin + extent + 2, shape) - begin
        image = tf.io.decode_and_crop_jpeg(encoded, tf.concat([begin, more], 0), channels=3)
        return _resized(tf.slice(image, (0, 0, 0), (*tf.unstack(extent), 3)), size, scale, shift)

    def other() -> tf.Tensor:
        image = decode(encoded)
        begin, extent, scale, shift = _source_window(tf.shape(image)[:2], size, draws)
        return _resized(tf.slice(image, (*tf.unstack(begin), 0), (*tf.unstack(extent), 3)), size, scale, shift)

    return tf.ensure_shape(tf.cond(tf.io.is_jpeg(encoded), jpeg, other), (size, size, 3))


def _source_window(
    shape: tf.Tensor, size: int, draws: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """What of a picture of this shape the crop shows.

    Returns:
        Vertically and horizontally, each `[2]`: first pixel that the crop depends on, and the number of them (int32); by
        how much they are enlarged, and where the first of them then lies in the crop, 0 or before it (float32).
    """
    target, shorter = load_size(size), tf.reduce_min(shape)
    resized = (shape * target + shorter // 2) // shorter  # integer arithmetic: the shorter side comes out exact
    room = tf.cast(resized - size + 1, tf.float32)  # number of positions in each direction
    first = tf.floor(draws * room)
    scale = tf.cast(resized, tf.float32) / tf.cast(shape, tf.float32)
    # The triangle filter reaches one pixel to either side, of the coarser of the two grids.
    reach = tf.where(shape == resized, 0.0, tf.maximum(1.0, 1.0 / scale))
    begin = tf.maximum(tf.cast(tf.floor(first / scale - reach), tf.int32), 0)
    end = tf.minimum(tf.cast(tf.math.ceil((first + size) / scale + reach), tf.int32), shape)
    return begin, end - begin, scale, tf.cast(begin, tf.float32) * scale - first


def _resized(window: tf.Tensor, size: int, scale: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """uint8 `[size, size, 3]`: the window resized and cut; as it is where there is nothing to resize."""

    def resize() -> tf.Tensor:
        rows = _resize_rows(window, size, scale[0], shift[0])
        columns = _resize_rows(tf.transpose(rows, (1, 0, 2)), size, scale[1], shift[1])
        return tf.cast(tf.transpose(tf.round(columns), (1, 0, 2)), tf.uint8)

    return tf.cond(tf.reduce_all(scale == 1.0), lambda: window, resize)


def _resize_rows(image: tf.Tensor, size: int, scale: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """Resizes float or uint8 `[H, W, 3]` to float32 `[size, W, 3]`.

    TensorFlow's resizing is fast along rows and slow along columns: so rows are handed to it as one pixel of many channels.
    """
    height, width = tf.unstack(tf.shape(image)[:2])
    one = tf.ones_like(scale)
    resized = tf.raw_ops.ScaleAndTranslate(
        images=tf.reshape(image, (1, height, 1, width * 3)),
        size=(size, 1),
        scale=tf.stack([scale, one]),
        translation=tf.stack([shift, 0.0 * one]),
        kernel_type='triangle',
        antialias=True,
    )
    return tf.reshape(resized, (size, width, 3))
