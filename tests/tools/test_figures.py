"""tools/figures.py: its checks. No command runs here."""

import pytest
from absl import flags
from absl.testing import flagsaver
from tool_module import TOOLS, tool_module

from stackgan_tf.system.errors import UserError

pytestmark = pytest.mark.skipif(not TOOLS.exists(), reason='needs the source tree')


@pytest.fixture(scope='module')
def figures():
    """The module of the command; its flags do not stay defined for other tests."""
    with tool_module('figures') as module:
        yield module


@pytest.fixture
def given(figures, tmp_path, monkeypatch):
    """Runs the command with flags, as if given on the command line."""
    monkeypatch.chdir(tmp_path)

    def run(name, **values):
        with flagsaver.flagsaver(**values):
            for each in values:
                flags.FLAGS[each].present += 1
            try:
                figures.main([name])
            finally:
                for each in values:
                    flags.FLAGS[each].present = 0

    return run


def test_flags_that_a_figure_does_not_use_are_refused(given):
    with pytest.raises(UserError, match='"fixed_noise" does not use --steps'):
        given('fixed_noise', caption=['a red bird'], steps=3)


def test_a_walk_is_an_animation(given):
    with pytest.raises(UserError, match=r'should end with \.gif or \.webp'):
        given('walk', output='walk.png')


def test_unknown_figures_are_refused(given):
    with pytest.raises(UserError, match='name one figure: samples'):
        given('sample')


def test_the_preset_draws(given, tmp_path, capsys):
    import stackgan_tf

    if not stackgan_tf.presets():
        pytest.skip('the weights of the preset are not in this tree')
    given('samples', caption=['a red bird'], count=2, tile=64)
    from PIL import Image

    assert Image.open(tmp_path / 'samples.png').size[0] == 190 + 2 * 64
    assert 'preset painted_birds. Not selected.' in capsys.readouterr().out
    with pytest.raises(UserError, match='between two conditions'):
        given('interpolation', caption=['a red bird'])


def test_figures_of_data_need_it_and_histories_need_a_run(given):
    with pytest.raises(UserError, match='training images with --data'):
        given('neighbors')
    with pytest.raises(UserError, match='a history is of a run'):
        given('history')
