import numpy as np
import pytest
from PIL import Image

from stackgan_tf.figures.image_grid import image_grid, sketches_above, write_png


def images(count):
    return np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)


@pytest.mark.parametrize(
    ('count', 'columns', 'shape'), [(64, None, (16, 16)), (5, None, (4, 6)), (3, 1, (6, 2)), (2, 9, (2, 4))]
)
def test_shape(count, columns, shape):
    assert image_grid(images(count), columns).shape == (*shape, 3)


def test_images_fill_rows_and_empty_cells_are_white():
    grid = image_grid(images(5))
    assert grid[::2, ::2, 0].tolist() == [[0, 1, 2], [3, 4, 255]]


def test_png_is_written_atomically(tmp_path):
    path = tmp_path / 'images' / 'grid.png'
    write_png(path, image_grid(images(4)))
    assert np.asarray(Image.open(path)).shape == (4, 4, 3)
    assert [file.name for file in path.parent.iterdir()] == ['grid.png']


def test_enlarged_sketches_are_above_their_images():
    images = {4: np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3), 8: np.full((2, 8, 8, 3), 7, np.uint8)}
    pairs = sketches_above(images)
    assert pairs.shape == (2, 16, 8, 3)
    np.testing.assert_array_equal(pairs[:, 8:], images[8])
    for row, column in ((0, 0), (1, 1), (0, 1)):
        np.testing.assert_array_equal(pairs[:, row:8:2, column::2], images[4])
