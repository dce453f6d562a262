import numpy as np

from stackgan_tf.figures.failures import failure_figure


def test_the_worst_come_first_and_the_best_below():
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.full((1, 4, 4, 3), 10, np.uint8)
    scores = np.array([3.0, -1.0, 2.0, -5.0, 9.0])
    figure = failure_figure(images, ['a bird'] * 5, scores, 2, tile=64)
    assert figure.shape[1] == 2 * 64
    tile_rows = [row for row in range(figure.shape[0]) if np.ptp(figure[row, :64]) == 0 and figure[row, 0, 0] < 255]
    assert [figure[tile_rows[0], column, 0] for column in (0, 64)] == [30, 10]
    assert [figure[tile_rows[-1], column, 0] for column in (0, 64)] == [40, 0]
