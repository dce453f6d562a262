import io

import numpy as np
import pytest
import tensorflow as tf
from image_files import photograph
from PIL import Image

from stackgan_tf.data.random_crop import Framing, load_size, random_crop, random_crops


def random_image(height, width, seed=0):
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8))
    return np.asarray(small.resize((width, height), Image.BICUBIC))


def encode(image, file_format='PNG', **options):
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, file_format, **options)
    return encoded.getvalue()


def crop_of(encoded, size, top=0.0, left=0.0):
    return random_crop(encoded, size, np.array([top, left], np.float32))


def test_load_sizes_of_the_paper():
    assert [load_size(size) for size in (64, 256)] == [76, 304]


@pytest.mark.parametrize(('height', 'width'), [(76, 76), (120, 76), (90, 140), (40, 30), (300, 225), (77, 76)])
@pytest.mark.parametrize(('top', 'left'), [(0.0, 0.0), (0.5, 0.999), (0.999, 0.3)])
@pytest.mark.parametrize('file_format', ['PNG', 'JPEG'])
def test_crop_is_that_of_the_whole_image_resized(height, width, top, left, file_format):
    encoded = encode(random_image(height, width), file_format)
    scale = 76 / min(height, width)
    target = (int(width * scale + 0.5), int(height * scale + 0.5))
    resized = np.asarray(Image.open(io.BytesIO(encoded)).resize(target, Image.BILINEAR)).astype(int)
    first_row, first_column = int(top * (resized.shape[0] - 63)), int(left * (resized.shape[1] - 63))
    expected = resized[first_row : first_row + 64, first_column : first_column + 64]
    assert np.abs(crop_of(encoded, 64, top, left) - expected).max() <= 1


def test_a_large_jpeg_that_decodes_itself_smaller_gives_nearly_the_same():
    image = np.asarray(photograph(800, 1200))
    resized = np.asarray(Image.fromarray(image).resize((114, 76), Image.BILINEAR)).astype(int)
    crop = crop_of(encode(image, 'JPEG', quality=95), 64, 0.5, 0.5)
    assert np.abs(crop - resized[6:70, 25:89]).mean() < 1


def test_crop_of_an_image_of_load_size_keeps_every_pixel():
    image = random_image(76, 100)
    np.testing.assert_array_equal(crop_of(encode(image), 64, 0.5, 0.5), image[6:70, 18:82])


def test_the_middle_draw_is_the_center():
    image = random_image(76, 76)
    np.testing.assert_array_equal(crop_of(encode(image), 64, 0.5, 0.5), image[6:70, 6:70])


def test_crop_reaches_every_corner_and_no_further():
    image = np.zeros((76, 76, 3), np.uint8)
    image[0, 0] = 255
    image[-1, -1] = 200
    assert crop_of(encode(image), 64)[0, 0, 0] == 255
    assert crop_of(encode(image), 64, 0.99999, 0.99999)[-1, -1, 0] == 200


def test_many_in_a_graph_are_each_one_alone():
    encoded = [encode(random_image(76, 90, seed)) for seed in range(3)]
    draws = np.random.default_rng(0).random((3, 2), np.float32)
    crops = tf.function(random_crops)(tf.constant(encoded), 64, tf.constant(draws))
    assert crops.shape == (3, 64, 64, 3)
    for crop, one, draw in zip(crops.numpy(), encoded, draws, strict=True):
        np.testing.assert_array_equal(crop, random_crop(one, 64, draw))


def test_squashed_as_in_v1_is_the_crop_of_the_squashed_image():
    image = random_image(90, 140)
    squashed = np.asarray(Image.fromarray(image).resize((76, 76), Image.BICUBIC)).astype(int)
    crop = random_crop(encode(image), 64, np.array([0.5, 0.999], np.float32), framing=Framing(squashed=True))
    assert np.abs(crop - squashed[6:70, 12:]).max() <= 1


def test_stretched_contrast_as_in_the_release_of_v1():
    rng = np.random.default_rng(0)
    image = rng.integers(100, 151, (76, 76, 3), np.uint8)
    image[0, 0, 0], image[1, 1, 1] = 100, 150
    draws = np.array([0.5, 0.5], np.float32)
    crop = random_crop(encode(image), 64, draws, framing=Framing(stretched=True))
    expected = ((image[6:70, 6:70].astype(float) - 100) * 255 / 50 + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(crop, expected)
    flat = np.full((76, 76, 3), 9, np.uint8)
    assert random_crop(encode(flat), 64, draws, framing=Framing(stretched=True)).max() == 0


def test_a_crop_around_a_box():
    image = random_image(200, 300)
    box = np.array([100, 60, 80, 40], np.float32)  # its square: 120 pixels around (140, 80)
    expected = Image.fromarray(image[20:140, 80:200])
    crop = random_crop(encode(image), 64, np.array([0.5, 0.5], np.float32), box)
    whole = np.asarray(expected.resize((76, 76), Image.BILINEAR)).astype(int)
    assert np.abs(crop - whole[6:70, 6:70]).max() <= 1


def test_a_box_outside_the_image_is_ignored():
    image, draws = encode(random_image(76, 76)), np.array([0.5, 0.5], np.float32)
    outside = random_crop(image, 64, draws, np.array([500, 500, 20, 20], np.float32))
    np.testing.assert_array_equal(outside, random_crop(image, 64, draws))


def test_boxes_in_a_graph():
    encoded = tf.constant([encode(random_image(100, 150, seed)) for seed in range(2)])
    boxes = np.array([[20, 20, 60, 40], [70, 10, 30, 50]], np.float32)
    draws = np.full((2, 2), 0.3, np.float32)
    crops = tf.function(random_crops)(encoded, 64, tf.constant(draws), tf.constant(boxes)).numpy()
    for crop, one, draw, box in zip(crops, encoded.numpy(), draws, boxes, strict=True):
        np.testing.assert_array_equal(crop, random_crop(one, 64, draw, box))
