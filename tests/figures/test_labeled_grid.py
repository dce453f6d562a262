import numpy as np

from stackgan_tf.figures.drawn_text import note, text_box
from stackgan_tf.figures.labeled_grid import captioned_grid, labeled_grid, tiles


def filled(size, *values):
    return np.array(values, np.uint8)[:, None, None, None] * np.ones((1, size, size, 3), np.uint8)


def test_rows_of_other_sizes_share_their_columns():
    rows = [('16 pixels', filled(4, 50, 100)), ('64 pixels', filled(8, 150, 200))]
    grid = labeled_grid(rows, ['seed 0', 'seed 1'], 'how it was made', tile=16)
    header, label = 26, 190
    assert grid.shape[1] == label + 2 * 16
    for row in range(2):
        for column in range(2):
            tile = grid[header + 16 * row :, label + 16 * column :][:16, :16]
            assert np.unique(tile) == [50 + 100 * row + 50 * column]
    below = grid[header + 32 :]
    assert below.shape[0] > 0
    assert below.min() < 128  # words
    assert grid[:header, label:].min() < 128


def test_multiples_keep_their_pixels_and_others_are_resized():
    image = np.random.default_rng(0).integers(0, 256, (1, 4, 4, 3), np.uint8)
    enlarged = tiles(image, 12)
    assert np.array_equal(enlarged[:, ::3, ::3], image)
    assert np.array_equal(enlarged[:, 2::3, 1::3], image)
    assert tiles(filled(6, 80), 4).tolist() == filled(4, 80).tolist()


def test_text_that_does_not_fit_is_cut_and_notes_are_as_high_as_their_text():
    words = ' '.join(['word'] * 200)
    assert text_box(words, 100, 40).shape == (40, 100, 3)
    assert note(words, 300).shape[0] > 5 * note('word', 300).shape[0]


def test_texts_below_images_are_whole_unless_they_are_very_long():
    short, long = (captioned_grid(filled(8, 90, 90), ['bird', text], 2, 64) for text in ('a bird', 'a long beak ' * 2))
    assert short.shape[0] < long.shape[0] < 3 * 64
    assert (long[:64] == 90).all()
    assert captioned_grid(filled(8, 90), ['word ' * 1000], 1, 64).shape == (3 * 64, 64, 3)
