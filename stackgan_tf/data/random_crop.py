"""Random square crops of images resized to the load size, as in the released code.

Resizing is Pillow's, antialiased. Only the region of the crop is resized: the same pixels at less cost.
"""

import dataclasses
import functools
import io
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from stackgan_tf.data.box_crop import crop_window
from stackgan_tf.data.image_decoding import decode


@dataclasses.dataclass(frozen=True)
class Framing:
    """How images are resized to the load size. The default is StackGAN-v2's; the others are v1's.

    Attributes:
        squashed: both sides become the load size, with a bicubic filter; else the shorter one does, the aspect ratio is
            kept, and the filter is bilinear.
        stretched: the contrast is stretched first, so that the darkest number of an image is 0 and its brightest 255,
            as the release of v1 does by accident.
        whole: the shorter side becomes the size of the crop, so that nothing of a square image is cut.
    """

    squashed: bool = False
    stretched: bool = False
    whole: bool = False

    def load_size(self, size: int) -> int:
        """The length that an image's shorter side gets before a crop of `size` pixels is cut."""
        return size if self.whole else load_size(size)


V2 = Framing()


def load_size(size: int) -> int:
    """The length that an image's shorter side usually gets before a crop of `size` pixels is cut: 76/64 of it."""
    return size * 76 // 64


def resized_shape(shape: Sequence[int], shorter_side: int) -> tuple[int, int]:
    """The shape that an image gets when its shorter side becomes `shorter_side`, aspect ratio kept."""
    shorter = min(shape)
    height, width = ((side * shorter_side + shorter // 2) // shorter for side in shape)
    return height, width


def corners(shapes: np.ndarray, size: int, draws: np.ndarray) -> np.ndarray:
    """Where crops begin: int64 `[N, 2]`, for the shapes `[N, 2]` of resized images and draws `[N, 2]` in [0, 1)."""
    positions = shapes - size + 1  # how many there are in each direction
    return (draws * positions.astype(np.float32)).astype(np.int64)


def random_crop(
    encoded: bytes, size: int, draws: np.ndarray, box: Sequence[float] | None = None, framing: Framing = V2
) -> np.ndarray:
    """Resizes an image, and cuts a square.

    Args:
        encoded: an image file.
        size: s, of the crop.
        draws: float32 `[2]` in [0, 1): vertical and horizontal position of the crop.
        box: x, y, width and height of the object that the image is cropped around beforehand (see `crop_window`); a
            box outside the image is ignored.
        framing: how it is resized.

    Returns:
        uint8 `[s, s, 3]`.

    Raises:
        BadImageError: the file cannot be decoded.
    """
    shorter_side = framing.load_size(size)
    # A box is in pixels of the whole image, and contrast is that of all its pixels.
    image = decode(io.BytesIO(encoded), None if box is not None or framing.stretched else shorter_side)
    if box is not None:
        image = _around(image, box)
    if framing.stretched:
        image = _stretched(image)
    shape = (image.height, image.width)
    shape = (shorter_side, shorter_side) if framing.squashed else resized_shape(shape, shorter_side)
    ((top, left),) = corners(np.array([shape]), size, draws[None])
    vertical, horizontal = image.height / shape[0], image.width / shape[1]
    region = (left * horizontal, top * vertical, (left + size) * horizontal, (top + size) * vertical)
    resampling = Image.Resampling.BICUBIC if framing.squashed else Image.Resampling.BILINEAR
    return np.asarray(image.resize((size, size), resampling, region))


def _around(image: Image.Image, box: Sequence[float]) -> Image.Image:
    try:
        return image.crop(crop_window(box, image.width, image.height))
    except ValueError:
        return image


def _stretched(image: Image.Image) -> Image.Image:
    darkest, brightest = (f(bound) for f, bound in zip((min, max), zip(*image.getextrema(), strict=True), strict=True))
    table = (np.arange(256) - darkest) * 255.0 / max(brightest - darkest, 1) + 0.5
    return image.point(list(table.clip(0, 255).astype(np.uint8)) * 3)


def random_crops(
    encoded: tf.Tensor, size: int, draws: tf.Tensor, boxes: tf.Tensor | None = None, framing: Framing = V2
) -> tf.Tensor:
    """`random_crop` of several images, inside a graph.

    Args:
        encoded: string `[N]`.
        size: s, of the crops.
        draws: float32 `[N, 2]` in [0, 1).
        boxes: float32 `[N, 4]`, where images are cropped around objects beforehand.
        framing: how they are resized.

    Returns:
        uint8 `[N, s, s, 3]`.
    """
    cut = functools.partial(_random_crops, size=size, framing=framing)
    given = [encoded, draws] if boxes is None else [encoded, draws, boxes]
    crops = tf.numpy_function(cut, given, tf.uint8, stateful=False)
    return tf.ensure_shape(crops, (*encoded.shape, size, size, 3))


def _random_crops(
    encoded: np.ndarray, draws: np.ndarray, boxes: np.ndarray | None = None, *, size: int, framing: Framing
) -> np.ndarray:
    around = [None] * len(encoded) if boxes is None else boxes
    rows = zip(encoded, draws, around, strict=True)
    return np.stack([random_crop(each, size, draw, box, framing) for each, draw, box in rows])
