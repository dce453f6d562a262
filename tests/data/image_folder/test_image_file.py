import io

import numpy as np
import pytest
from image_files import photograph, save
from PIL import Image

from stackgan_tf.data.image_decoding import BadImageError
from stackgan_tf.data.image_folder.image_file import encode_compact, encode_lossless, read_image


def test_the_shorter_side_becomes_the_load_size_as_pillow_resizes(tmp_path):
    path = save(tmp_path / 'a.png', photograph(120, 160))
    image, enlarged = read_image(path, 76)
    assert image.size == (101, 76)
    np.testing.assert_array_equal(image, photograph(120, 160).resize((101, 76), Image.BILINEAR))
    assert not enlarged


def test_small_images_are_enlarged(tmp_path):
    image, enlarged = read_image(save(tmp_path / 'a.png', Image.new('RGB', (1, 2))), 76)
    assert image.size == (76, 152)
    assert enlarged


def test_a_box_is_cropped_at_full_size_first(tmp_path):
    whole = photograph(800, 1200)
    path = save(tmp_path / 'a.jpg', whole, quality=95)
    image, _ = read_image(path, 76, (400, 300, 100, 80))
    expected = Image.open(path).crop((375, 265, 525, 415)).resize((76, 76), Image.BILINEAR)
    np.testing.assert_array_equal(image, expected)


def test_unusable_files_give_a_reason(tmp_path):
    (tmp_path / 'empty.jpg').touch()
    with pytest.raises(BadImageError, match='empty file'):
        read_image(tmp_path / 'empty.jpg', 76)
    with pytest.raises(BadImageError, match='No such file'):
        read_image(tmp_path / 'nowhere.jpg', 76)
    strip = save(tmp_path / 'strip.png', Image.new('RGB', (10, 1000)))
    with pytest.raises(BadImageError, match='too narrow a strip: 10 x 1,000 pixels'):
        read_image(strip, 76)
    with pytest.raises(BadImageError, match='covers none'):
        read_image(save(tmp_path / 'a.png'), 76, (500, 500, 10, 10))


def test_the_two_formats_of_the_cache():
    image = photograph(76, 101)
    lossless, compact = encode_lossless(image), encode_compact(image)
    assert lossless[-3 * 76 * 101 :] == np.asarray(image).tobytes()
    np.testing.assert_array_equal(Image.open(io.BytesIO(lossless)), image)
    difference = np.abs(np.asarray(Image.open(io.BytesIO(compact))).astype(int) - np.asarray(image))
    assert difference.mean() < 2
    assert len(compact) < len(lossless) / 4
