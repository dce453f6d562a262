import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stackgan_tf.data.image_pyramid import image_pyramid


def noise(count, size):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


def pyramid_of(crops, sizes, flips=None):
    flips = [False] * len(crops) if flips is None else flips
    return [image.numpy() for image in image_pyramid(tf.constant(crops), tf.constant(flips), sizes)]


@pytest.mark.parametrize('sizes', [(64,), (32, 64), (16, 32, 64), (64, 128, 256), (4, 8, 16, 32)])
def test_scales_are_what_pillow_makes_of_the_crop(sizes):
    # Noise is the hardest image for a filter; photographs differ less.
    crops = noise(2, sizes[-1])
    images = pyramid_of(crops, sizes)
    assert [image.shape for image in images] == [(2, size, size, 3) for size in sizes]
    for image, size in zip(images, sizes, strict=True):
        for row, crop in zip(image, crops, strict=True):
            pillow = np.asarray(Image.fromarray(crop).resize((size, size), Image.BILINEAR))
            assert np.abs((row + 1) * 127.5 - pillow).max() <= 1


def test_flipped_rows_are_mirrored_at_every_scale():
    crops = noise(2, 16)
    plain, flipped = pyramid_of(crops, (8, 16)), pyramid_of(crops, (8, 16), [False, True])
    for one, other in zip(plain, flipped, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_allclose(one[1, :, ::-1], other[1], atol=1e-6)


def test_range():
    for color, value in ((255, 1), (0, -1)):
        for image in pyramid_of(np.full((1, 16, 16, 3), color, np.uint8), (8, 16)):
            np.testing.assert_allclose(image, np.full_like(image, value), atol=1e-6)
