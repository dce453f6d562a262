"""Synthetic photographs."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image


def photographs(count: int, height: int, width: int) -> Iterator[np.ndarray]:
    """Noise with the spectrum of photographs, and so with their file size and decoding time."""
    rng = np.random.default_rng(0)
    distance = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    distance[0, 0] = np.inf
    for _ in range(count):
        spectra = np.fft.rfft2(rng.standard_normal((4, height, width))) / distance**1.4
        gray, *colors = (plane / plane.std() for plane in np.fft.irfft2(spectra, (height, width)))
        pixels = 120 + 50 * (0.8 * gray[..., None] + 0.3 * np.stack(colors, -1))
        yield np.clip(pixels, 0, 255).astype(np.uint8)


def encoded(pixels: np.ndarray, encoding: str, quality: int) -> bytes:
    """Encodes pixels as an image file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, encoding, quality=quality)
    return file.getvalue()
