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
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, features

# Only these readers open people's files; Pillow has others, some of which run programs.
_AVIF = ('AVIF',) if 'avif' in features.modules and features.check('avif') else ()
FORMATS = ('JPEG', 'PNG', 'WEBP', 'GIF', 'BMP', 'TIFF', *_AVIF)
# How their files begin; the others have their name at another place.
_BEGINNINGS = (b'\xff\xd8\xff', b'\x89PNG\r\n', b'GIF8', b'BM', b'II*\0', b'MM\0*')
# Chunks of a PNG file that decoding does not need.
_TEXTS = (b'tEXt', b'zTXt', b'iTXt', b'iCCP')

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
        file: JPEG, PNG, WebP, GIF, BMP, TIFF, or AVIF where Pillow reads it.
        shorter_side: what the image will be resized to, pixels, if it will: a large JPEG is then decoded at a
            fraction of its size, but never below twice that.

    Returns:
        The image in mode RGB.

    Raises:
        BadImageError: it cannot be decoded, or has too many pixels.
    """
    try:
        _require_content(file)
        try:
            return _decode(file, shorter_side)
        except ValueError:  # Pillow refuses texts and profiles of more than a megabyte
            if (smaller := _without_texts(file)) is None:
                raise
            return _decode(smaller, shorter_side)
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


def looks_like_an_image(start: bytes) -> bool:
    """Whether a file begins as images do: 16 bytes or more suffice."""
    return start.startswith(_BEGINNINGS) or start[8:12] == b'WEBP' or start[4:12] == b'ftypavif'


def _decode(file: Path | io.BytesIO, shorter_side: int | None) -> Image.Image:
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


def _require_content(file: Path | io.BytesIO) -> None:
    if isinstance(file, Path):
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
            raise BadImageError('it is not a file, but a folder, a pipe or a device')
        size = status.st_size
    else:
        size = file.getbuffer().nbytes
    if not size:
        raise BadImageError('empty file')


def _without_texts(file: Path | io.BytesIO) -> io.BytesIO | None:
    """A PNG file without its texts and color profile; None for another format."""
    whole = file.open('rb') if isinstance(file, Path) else io.BytesIO(file.getvalue())
    with whole:
        kept = [signature := whole.read(8)]
        if signature != b'\x89PNG\r\n\x1a\n':
            return None
        while len(header := whole.read(8)) == 8:
            length = int.from_bytes(header[:4], 'big') + 4  # with the checksum
            if header[4:] in _TEXTS:
                whole.seek(length, os.SEEK_CUR)
            else:
                kept += [header, whole.read(length)]
    return io.BytesIO(b''.join(kept))


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
