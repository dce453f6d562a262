import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stackgan_tf.data.random_crop import decode, load_size, random_crop


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8))
    return np.asarray(small.resize((width, height), Image.BICUBIC))


def encode(image, file_format='PNG', **options):
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, file_format, **options)
    return encoded.getvalue()


def crop_of(encoded, size, top=0.0, left=0.0):
    return random_crop(tf.constant(encoded), size, tf.constant([top, left])).numpy()


def test_load_sizes_of_the_paper():
    assert [load_size(size) for size in (64, 256)] == [76, 304]


@pytest.mark.parametrize(
    ('height', 'width'), [(76, 76), (120, 76), (90, 140), (40, 30), (500, 375), (77, 76), (75, 200)]
)
@pytest.mark.parametrize(('top', 'left'), [(0.0, 0.0), (0.5, 0.999), (0.999, 0.3)])
@pytest.mark.parametrize('file_format', ['PNG', 'JPEG'])
def test_crop_equals_pillows(height, width, top, left, file_format):
    encoded = encode(picture(height, width), file_format)
    decoded = Image.fromarray(decode(tf.constant(encoded)).numpy())
    scale = 76 / min(height, width)
    target = (int(width * scale + 0.5), int(height * scale + 0.5))
    resized = np.asarray(decoded.resize(target, Image.BILINEAR)).astype(float)
    first_row, first_column = int(top * (resized.shape[0] - 63)), int(left * (resized.shape[1] - 63))
    expected = resized[first_row : first_row + 64, first_column : first_column + 64]
    assert np.abs(crop_of(encoded, 64, top, left) - expected).max() <= 1


def test_crop_of_a_picture_of_load_size_keeps_every_pixel():
    image = picture(76, 100)
    np.testing.assert_array_equal(crop_of(encode(image), 64, 0.5, 0.5), image[6:70, 18:82])


def test_crop_reaches_every_corner_and_no_further():
    image = np.zeros((76, 76, 3), np.uint8)
    image[0, 0] = 255
    image[-1, -1] = 200
    assert crop_of(encode(image), 64)[0, 0, 0] == 255
    assert crop_of(encode(image), 64, 0.99999, 0.99999)[-1, -1, 0] == 200


@pytest.mark.parametrize('file_format', ['PNG', 'JPEG', 'BMP', 'WEBP', 'GIF'])
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_decodes_what_people_have(file_format, mode):
    encoded = io.BytesIO()
    Image.fromarray(picture(20, 30)).convert(mode).save(encoded, file_format)
    assert decode(tf.constant(encoded.getvalue())).shape == (20, 30, 3)
    assert crop_of(encoded.getvalue(), 16).shape == (16, 16, 3)
