import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stackgan_tf.data.image_pyramid import decode, image_pyramid, load_size, random_crop


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8))
    return np.asarray(small.resize((width, height), Image.BICUBIC))


def crop_of(image, size, top=0.0, left=0.0, flip=0.0):
    return random_crop(tf.constant(image), size, tf.constant([top, left, flip])).numpy()


def test_load_sizes_of_the_paper():
    assert [load_size(size) for size in (64, 256)] == [76, 304]


@pytest.mark.parametrize(('height', 'width'), [(76, 76), (120, 76), (90, 140), (40, 30), (500, 375)])
def test_crop_equals_pillows(height, width):
    image = picture(height, width)
    scale = 76 / min(height, width)
    target = (round(width * scale), round(height * scale))
    resized = np.asarray(Image.fromarray(image).resize(target, Image.BILINEAR)).astype(float)
    crop = crop_of(image, 64, 0.5, 0.999)
    top, left = int(0.5 * (resized.shape[0] - 63)), int(0.999 * (resized.shape[1] - 63))
    assert np.abs(crop - resized[top : top + 64, left : left + 64]).max() <= 1


def test_crop_reaches_every_corner_and_no_further():
    image = np.zeros((76, 76, 3), np.uint8)
    image[0, 0] = 255
    image[-1, -1] = 200
    assert crop_of(image, 64)[0, 0, 0] == 255
    assert crop_of(image, 64, 0.99999, 0.99999)[-1, -1, 0] == 200


def test_flip_mirrors_left_and_right():
    image = picture(76, 76)
    np.testing.assert_array_equal(crop_of(image, 64, 0.2, 0.3, 0.5), crop_of(image, 64, 0.2, 0.3, 0.49)[:, ::-1])


def test_scales_are_the_same_crop_antialiased():
    crop = crop_of(picture(76, 76), 64)
    pyramid = image_pyramid(tf.constant(crop[None]), (16, 32, 64))
    assert [tuple(image.shape) for image in pyramid] == [(1, 16, 16, 3), (1, 32, 32, 3), (1, 64, 64, 3)]
    np.testing.assert_allclose(pyramid[-1][0], crop / 127.5 - 1, atol=1e-6)
    for image in pyramid[:-1]:
        size = image.shape[1]
        pillow = Image.fromarray(crop.astype(np.uint8)).resize((size, size), Image.BILINEAR)
        assert np.abs((image[0].numpy() + 1) * 127.5 - np.asarray(pillow)).max() <= 1


def test_range():
    white = image_pyramid(tf.fill((1, 16, 16, 3), 255.0), (8, 16))
    black = image_pyramid(tf.fill((1, 16, 16, 3), 0.0), (8, 16))
    for one, other in zip(white, black, strict=True):
        np.testing.assert_allclose([one, other], [np.ones_like(one), -np.ones_like(other)], atol=1e-6)


@pytest.mark.parametrize('file_format', ['PNG', 'JPEG', 'BMP', 'WEBP', 'GIF'])
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_decodes_what_people_have(file_format, mode):
    encoded = io.BytesIO()
    Image.fromarray(picture(20, 30)).convert(mode).save(encoded, file_format)
    assert decode(tf.constant(encoded.getvalue())).shape == (20, 30, 3)
