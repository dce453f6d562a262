"""Resizing of images for feature extractors: the two common resizes, which give different scores.

`clean` is Pillow's antialiased bicubic filter on floats (Parmar et al., arXiv 2104.11222); TensorFlow's is the same to
a hundredth of a gray level, so it runs in the graph. `legacy` is the bilinear one of TensorFlow 1 inside the Inception
graph, without antialiasing and half a pixel off, by which most published Frechet distances were measured.
"""

from collections.abc import Callable
from typing import Annotated

import numpy as np
import tensorflow as tf

from stackgan_tf.system.ranges import OneOf


def clean_resize(images: tf.Tensor, size: int) -> tf.Tensor:
    """Antialiased bicubic, not rounded and not clipped: `[N, h, w, 3]` in 0..255 to float32 `[N, size, size, 3]`."""
    return tf.image.resize(tf.cast(images, tf.float32), (size, size), 'bicubic', antialias=True)


def legacy_resize(images: tf.Tensor, size: int) -> tf.Tensor:
    """TensorFlow 1's bilinear: `[N, h, w, 3]` in 0..255 to float32 `[N, size, size, 3]`."""
    images = tf.cast(images, tf.float32)
    return tf.raw_ops.ResizeBilinear(images=images, size=(size, size), align_corners=False, half_pixel_centers=False)


RESIZES: dict[str, Callable[[tf.Tensor, int], tf.Tensor]] = {'clean': clean_resize, 'legacy': legacy_resize}
Resize = Annotated[str, OneOf(RESIZES)]


def small_copies(images: np.ndarray, size: int) -> np.ndarray:
    """Resized images, rounded as if saved at that size: uint8 `[N, s, s, 3]` to uint8 `[N, size, size, 3]`."""
    copies = clean_resize(tf.constant(images), size)
    return tf.cast(tf.clip_by_value(tf.round(copies), 0.0, 255.0), tf.uint8).numpy()
