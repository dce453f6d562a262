import numpy as np
import pytest

from stackgan_tf.figures.caption_grid import caption_grid


def test_each_row_has_a_caption_and_its_images():
    images = np.zeros((4, 48, 48, 3), np.uint8)
    images[:, ..., 0] = np.arange(1, 5)[:, None, None] * 50
    grid = caption_grid(['a red bird', 'another'], images)
    assert grid.shape == (2 * 96, 190 + 2 * 96, 3)
    assert [grid[row, column, 0] for row in (10, 180) for column in (200, 300)] == [50, 100, 150, 200]
    assert grid[:96, :190].min() < 128  # words
    assert (grid[:96, :190] != grid[96:, :190]).any()


@pytest.mark.parametrize(
    'caption', ['', 'x' * 10_000, '\N{BIRD}\x00\n', '\u05e6\u05d9\u05e4\u05d5\u05e8', 'word ' * 3000]
)
def test_unusual_captions_are_drawn(caption):
    assert caption_grid([caption], np.zeros((3, 96, 96, 3), np.uint8)).shape == (96, 190 + 3 * 96, 3)
