import json

import numpy as np
import pytest
from tiny_text_model import text_generator

from stackgan_tf import preset_files
from stackgan_tf.loading import from_preset, load, load_text_encoder
from stackgan_tf.networks.image_encoder import ImageEncoder
from stackgan_tf.preset_files import open_preset, presets, source_or_default, write_preset
from stackgan_tf.system.errors import UserError

CAPTIONS = ['a red bird', 'a blue bird with a black crown']


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The model of a preset `tiny`, the only one."""
    monkeypatch.setattr(preset_files, '_FOLDER', tmp_path)
    generator = text_generator()
    tower = ImageEncoder(size=16, width=4, dimension=12)
    tower.build((None, 16, 16, 3))
    networks = {
        'generator_ema': generator.network,
        'text_encoder': generator.encoder._network,
        'image_encoder': tower,
    }
    write_preset(tmp_path / 'tiny', networks, {'condition_source': {'phase': 'encoder'}})
    return generator


def test_a_preset_draws_what_its_model_draws(tiny):
    assert presets() == ('tiny',)
    preset = from_preset('tiny')
    assert (preset.kind, preset.sizes, preset.title) == ('text', (8, 16), 'preset tiny')
    wanted, found = (model.generate(CAPTIONS * 8, seed=3).astype(int) for model in (tiny, preset))
    assert np.abs(wanted - found).max() <= 2
    assert wanted.std() > 10
    np.testing.assert_array_equal(load('preset:tiny').generate(CAPTIONS, seed=3), preset.generate(CAPTIONS, seed=3))
    assert load_text_encoder('preset:tiny').image_size == 16


def test_its_files_run_no_code(tiny, tmp_path):
    assert sorted(path.name for path in (tmp_path / 'tiny').iterdir()) == ['preset.json', 'weights.npz']
    json.loads((tmp_path / 'tiny' / 'preset.json').read_text())
    with np.load(tmp_path / 'tiny' / 'weights.npz', allow_pickle=False) as weights:
        dtypes = {name: weights[name].dtype for name in weights.files}
    assert {dtype for name, dtype in dtypes.items() if name.startswith('text_encoder/')} == {np.dtype(np.float32)}
    assert {dtype for name, dtype in dtypes.items() if name.startswith('image_encoder/')} == {np.dtype(np.float16)}


def test_an_unknown_preset(tiny):
    with pytest.raises(UserError, match="there is no preset 'birds': there are tiny"):
        open_preset('birds')


def test_weights_beyond_float16_are_refused(tiny, tmp_path):
    tiny.network.variables[0].assign(np.full(tiny.network.variables[0].shape, 1e6))
    with pytest.raises(UserError, match='generator_ema/0000 has weights beyond 65504'):
        write_preset(tmp_path / 'large', {'generator_ema': tiny.network}, {})
    assert not (tmp_path / 'large').exists()


def test_commands_without_a_model_use_the_default_and_say_so(capsys):
    assert source_or_default('runs/mine') == 'runs/mine'
    assert capsys.readouterr().out == ''
    assert source_or_default(None) == 'preset:painted_birds'
    assert capsys.readouterr().out.count('\n') == 1


@pytest.mark.parametrize('name', presets())
def test_a_preset_of_the_package(name):
    model = from_preset(name)
    different = {each.tobytes() for each in model.generate(CAPTIONS, seed=0)}
    assert len(different) == len(CAPTIONS)
    assert sum(path.stat().st_size for path in open_preset(name).folder.iterdir()) <= 12_000_000
