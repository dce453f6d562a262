from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stackgan_tf.figures.image_files import MOVING, STILL, check_suffix, write_animation, write_figure
from stackgan_tf.system.errors import UserError

RAMP = np.linspace(0, 255, 32 * 48 * 3).astype(np.uint8).reshape(32, 48, 3)


@pytest.mark.parametrize('suffix', STILL)
def test_stills(tmp_path, suffix):
    path = tmp_path / f'figure{suffix}'
    write_figure(path, RAMP)
    assert np.abs(np.asarray(Image.open(path).convert('RGB')).astype(int) - RAMP).mean() < 4


@pytest.mark.parametrize('suffix', MOVING)
def test_animations(tmp_path, suffix):
    path = tmp_path / f'walk{suffix}'
    write_animation(path, [RAMP, 255 - RAMP, RAMP])
    with Image.open(path) as opened:
        assert opened.n_frames == 3
        opened.seek(1)
        shown = np.asarray(opened.convert('RGB')).astype(int)
    assert np.abs(shown - (255 - RAMP)).mean() < 16


def test_other_ends_of_names_are_refused():
    with pytest.raises(UserError, match=r'should end with \.png or \.webp'):
        check_suffix(Path('figure.bmp'), STILL)
