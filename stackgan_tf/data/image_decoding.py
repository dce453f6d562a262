"""Decodes people's image files with Pillow: allowed formats, orientation, conversion to RGB, limits of memory."""

import contextlib
import errno
import io
import math
import os
import stat
import threading
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

# Only these readers open people's files; Pillow has others, some of which run programs.
FORMATS = ('JPEG', 'PNG', 'WEBP', 'GIF', 'BMP', 'TIFF')

# Decoding takes up to 19 bytes a pixel. Every core decodes an image, but large ones are decoded one at a time. Large
# JPEGs are decoded at a smaller size.
_MAX_PIXELS = 50_000_000
_LARGE = 5_000_000
_large = threading.Lock()


class BadImageError(Exception):
    """An image file cannot be used; the text says why, without its name.

    Attributes:
        may_pass: whether the reason is the system's, not the file's.
    """

    def __init__(self, reason: str, may_pass: bool = False) -> None:
        super().__init__(reason)
        self.may_pass = may_pass


def decode(file: Path | io.BytesIO, shorter_side: int | None = None) -> Image.Image:
    """Decodes an image.

    Takes the first frame, applies the orientation tag, puts transparency on white, scales 16-bit gray to 8 bits, and
    converts to RGB; color profiles are ignored.

    Args:
        file: JPEG, PNG, WebP, GIF, BMP or TIFF.
        shorter_side: what the image will be resized to, pixels, if it will: a large JPEG is then decoded at a
            fraction of its size, but never below twice that.

    Returns:
        The image in mode RGB.

    Raises:
        BadImageError: it cannot be decoded, or has too many pixels.
    """
    try:
        if isinstance(file, Path):
            _require_file(file.stat())
        with Image.open(file, formats=FORMATS) as image:
            if shorter_side is not None:
                enough = 2 * shorter_side / min(image.size)
                image.draft(image.mode, (round(image.width * enough), round(image.height * enough)))
            width, height = max(image.size, _tile(image), key=math.prod)
            if width * height > _MAX_PIXELS:
                raise BadImageError(f'{width:,} x {height:,} are more than {_MAX_PIXELS:,} pixels')
            with _large if width * height > _LARGE else contextlib.nullcontext():
                _turn_upright(image)
                return _rgb(image)
    except UnidentifiedImageError as error:
        raise BadImageError('it is not an image') from error
    except OSError as error:
        # Pillow's own errors have no number.
        may_pass = error.errno not in (None, errno.ENOENT, errno.ELOOP)
        raise BadImageError(error.strerror or str(error), may_pass) from error
    except MemoryError as error:
        raise BadImageError('not enough memory', may_pass=True) from error
    except BadImageError:
        raise
    except Exception as error:  # Pillow's readers raise any kind on broken files
        raise BadImageError(str(error).partition('\n')[0] or type(error).__name__) from error


def _require_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
        raise BadImageError('it is not a file, but a folder, a pipe or a device')
    if not status.st_size:
        raise BadImageError('empty file')


def _tile(image: Image.Image) -> tuple[int, int]:
    """How large one part of a TIFF is, which may be larger than the image."""
    tags = getattr(image, 'tag_v2', {})
    return tags.get(TiffImagePlugin.TILEWIDTH, 0), tags.get(TiffImagePlugin.TILELENGTH, 0)


def _turn_upright(image: Image.Image) -> None:
    image.load()
    # A broken tag does not spoil the image.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == 'F':
        raise BadImageError('floating-point pixels of unknown range')
    if image.mode.startswith('I'):  # 16-bit gray, which Pillow would cut off at 255
        pixels = np.asarray(image).astype(np.int64)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise BadImageError('32-bit pixels of unknown range')
        return Image.fromarray((pixels // 257).astype(np.uint8)).convert('RGB')
    if image.has_transparency_data:
        converted = image.convert('RGBA')
        white = Image.new('RGBA', converted.size, 'white')
        return Image.alpha_composite(white, converted).convert('RGB')
    return image if image.mode == 'RGB' else image.convert('RGB')
