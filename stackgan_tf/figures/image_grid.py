"""Generated images side by side, as in the paper's figures."""

import io
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from stackgan_tf.system.atomic_files import write_whole


def image_grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lays images out row by row.

    Args:
        images: uint8 `[N, h, w, 3]`.
        columns: images in a row; by default a grid as square as possible.

    Returns:
        uint8 `[rows * h, columns * w, 3]`; empty cells are white.
    """
    count, height, width, channels = images.shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    padded = np.full((rows * columns, height, width, channels), 255, np.uint8)
    padded[:count] = images
    grid = padded.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, channels)


def sketches_above(images: Mapping[int, np.ndarray]) -> np.ndarray:
    """Each image with its sketch above it, as in the paper's figures of Stage-I and Stage-II.

    Args:
        images: uint8 `[N, s, s, 3]` by size, for two sizes, s and a multiple S of it.

    Returns:
        uint8 `[N, 2 * S, S, 3]`; sketches are enlarged by repeating their pixels.
    """
    small, large = sorted(images)
    enlarged = images[small].repeat(large // small, axis=1).repeat(large // small, axis=2)
    return np.concatenate([enlarged, images[large]], axis=1)


def write_png(path: Path, image: np.ndarray) -> None:
    """Writes a uint8 `[H, W, 3]` image as a PNG file, atomically."""
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, format='png')
    write_whole(path, encoded.getvalue())
