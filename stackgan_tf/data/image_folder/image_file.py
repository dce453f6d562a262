"""Reads an image file at load size, and encodes it in the two formats of the cache."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from stackgan_tf.data.box_crop import crop_window
from stackgan_tf.data.image_decoding import BadImageError, decode
from stackgan_tf.data.random_crop import resized_shape

# Part of the cache's key: raise it when prepared images change.
PREPROCESSING_VERSION = 1
# A narrow strip is enlarged until its shorter side fits: this limits its longer side.
MAX_ASPECT = 16
_JPEG_QUALITY = 95


def read_image(
    path: Path | io.BytesIO, shorter_side: int, box: Sequence[float] | None = None
) -> tuple[Image.Image, bool]:
    """Reads an image, crops it around `box` if there is one, and resizes it (bilinear, antialiased).

    Args:
        path: of the file; or its content.
        shorter_side: what the shorter side becomes, pixels; the aspect ratio is kept.
        box: x, y, width and height of the object, pixels of the upright image.

    Returns:
        The image in mode RGB, and whether it had to be enlarged.

    Raises:
        BadImageError: it cannot be used.
    """
    image = decode(path, shorter_side if box is None else None)
    if box is not None:
        try:
            image = image.crop(crop_window(box, *image.size))
        except ValueError as error:
            raise BadImageError(str(error)) from error
    shorter, longer = sorted(image.size)
    if longer > MAX_ASPECT * shorter:
        raise BadImageError(f'too narrow a strip: {image.width:,} x {image.height:,} pixels')
    height, width = resized_shape((image.height, image.width), shorter_side)
    return image.resize((width, height), Image.Resampling.BILINEAR), shorter < shorter_side


def encode_lossless(image: Image.Image) -> bytes:
    """The image as PPM: after a short header its pixels, row by row, as they are in memory."""
    return _encode(image, 'PPM')


def encode_compact(image: Image.Image) -> bytes:
    """The image as JPEG of quality 95: an eighth of the size."""
    return _encode(image, 'JPEG', quality=_JPEG_QUALITY)


def _encode(image: Image.Image, file_format: str, **options: int) -> bytes:
    encoded = io.BytesIO()
    image.save(encoded, file_format, **options)
    return encoded.getvalue()
