import json
import sys

import numpy as np
import pytest

from stackgan_tf.figures.history import history_figure, loss_curves, sample_strip
from stackgan_tf.figures.image_grid import image_grid, write_png
from stackgan_tf.system.errors import UserError


@pytest.fixture
def phase(tmp_path):
    """Samples at five steps: sample n of step 100 k has the gray level 40 k + n."""
    for k in range(1, 6):
        gray = (40 * k + np.arange(64)).astype(np.uint8)
        write_png(
            tmp_path / 'samples' / f'step_{100 * k:06d}.png',
            image_grid(gray[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)),
        )
    records = [{'step': 100 * k, 'generator_loss_8': k, 'generator_loss_16': 2.0, 'kl_loss': 0.5} for k in range(1, 6)]
    (tmp_path / 'metrics.jsonl').write_text('\n'.join(map(json.dumps, records)))
    return tmp_path


def test_the_strip_shows_the_same_samples_at_spread_steps(phase):
    steps, rows = sample_strip(phase, 3, 2)
    assert steps == [100, 300, 500]
    assert [row[:, 0, 0, 0].tolist() for _, row in rows] == [[40, 120, 200], [48, 128, 208]]
    assert rows[1][1].shape == (3, 4, 4, 3)


def test_fewer_samples_than_columns_are_shown_once(phase):
    assert sample_strip(phase, 9, 1)[0] == [100, 200, 300, 400, 500]


def test_curves_are_drawn_below_the_strip(phase):
    pytest.importorskip('matplotlib')
    figure = history_figure(phase, 3, 2, tile=128)
    curves = figure[26 + 2 * 128 :]
    assert curves.shape[0] > 200
    assert (curves == [31, 119, 180]).all(axis=2).any()  # the first curve
    assert (curves == [255, 127, 14]).all(axis=2).any()  # the second


def test_a_missing_library_and_missing_files_are_reported_in_one_line(phase, monkeypatch):
    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    with pytest.raises(UserError, match='curves need matplotlib'):
        loss_curves([{'step': 1, 'kl_loss': 1.0}], 300)
    with pytest.raises(UserError, match='has no samples'):
        sample_strip(phase / 'nowhere', 3, 2)
