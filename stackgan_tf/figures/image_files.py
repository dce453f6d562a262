"""Files of figures: PNG, or WebP where the file should be small; GIF or WebP for animations."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from stackgan_tf.figures.image_grid import write_png
from stackgan_tf.system.atomic_files import write_whole
from stackgan_tf.system.errors import UserError

STILL = ('.png', '.webp')
MOVING = ('.gif', '.webp')
_QUALITY = 80  # of WebP
_FRAME = 80  # milliseconds


def check_suffix(path: Path, suffixes: Sequence[str]) -> None:
    """Checks the name of a file before anything is generated.

    Raises:
        UserError: it ends with none of the suffixes.
    """
    if path.suffix.lower() not in suffixes:
        raise UserError(f'--output={path} should end with {" or ".join(suffixes)}')


def write_figure(path: Path, image: np.ndarray) -> None:
    """Writes a uint8 `[H, W, 3]` image, atomically, as PNG (exact) or WebP (small)."""
    if path.suffix.lower() == '.png':
        write_png(path, image)
        return
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, format='webp', quality=_QUALITY, method=6)
    write_whole(path, encoded.getvalue())


def write_animation(path: Path, frames: Sequence[np.ndarray]) -> None:
    """Writes uint8 `[H, W, 3]` frames, atomically, as a GIF or a WebP that repeats."""
    first, *others = [Image.fromarray(frame) for frame in frames]
    encoded = io.BytesIO()
    kind = path.suffix.lower().removeprefix('.')
    first.save(encoded, format=kind, save_all=True, append_images=others, duration=_FRAME, loop=0, quality=_QUALITY)
    write_whole(path, encoded.getvalue())
