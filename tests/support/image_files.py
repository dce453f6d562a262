"""Image files for tests."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from stackgan_tf.data.image_folder.listing import list_images


def photograph(height=60, width=80, seed=0):
    """An image with smooth colors, which lossy formats preserve well."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
    return small.resize((width, height), Image.BICUBIC)


def save(path, image=None, **options):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or photograph(seed=len(path.name))).save(path, **options)
    return path


def touch(root, *names):
    """Files of one byte, which are images by their names alone."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')


def listed_names(root, split='train', test_fraction=0.0):
    """The names of the images that a folder is listed with."""
    return [file.name for file in list_images(root, split, test_fraction).files]


def png_chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def huge_png(path, side=80_000):
    """A PNG of a few bytes that claims to be `side` x `side` pixels."""
    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    chunks = png_chunk(b'IHDR', header) + png_chunk(b'IDAT', body) + png_chunk(b'IEND', b'')
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + chunks)
