"""The commands with StackGAN-v1: both stages from one command, then images of both."""

import numpy as np
import pytest
from command_runs import command, run
from PIL import Image

SMALL = [
    'BATCH_SIZE = 4',
    'ENCODER_BATCH_SIZE = 4',
    'STEPS = 2',
    'STAGE_ONE_STEPS = 2',
    'ENCODER_STEPS = 2',
    'FEATURES_STEPS = 2',
    'STAGE_ONE_SIZE = 8',
    'STAGE_TWO_SIZE = 16',
    'TICK = 2',
    'CHECKPOINT_EVERY = 2',
    'TextMatching.sizes = (8,)',
    'AttributeClassifier.sizes = (8,)',
    'TextMatching.widths = (4, 4, 4)',
    'StageI.generator_width = 8',
    'stage_one/StageDiscriminators.width = 4',
    'StageII.generator_width = 8',
    'stage_two/StageDiscriminators.width = 4',
]
FLAGS = ['--gin_file=gin/painted_birds_v1.gin', *(f'--gin_param={setting}' for setting in SMALL)]
CAPTION = '--caption=a small red bird'


@pytest.fixture(scope='module')
def trained(made_once):
    def make(folder):
        result = run(command('train', *FLAGS, '--workdir=run'), folder)
        assert result.returncode == 0, result.stderr
        for phase in ('features', 'encoder', 'stage_one', 'stage_two'):
            assert f'{phase} is done: 2 steps' in result.stdout

    return made_once('stages', make) / 'run'


def test_from_a_caption_to_a_sketch_and_an_image(trained, tmp_path):
    exported = run(command('export', f'--model={trained}', '--output=model'), tmp_path)
    assert 'The text model is in model' in exported.stdout, exported.stderr
    for model in (trained, 'model'):
        flags = [CAPTION, '--count=2', '--every_size', f'--output={tmp_path}/{"run" if model == trained else "export"}']
        sampled = run(command('sample', f'--model={model}', *flags), tmp_path)
        assert sampled.returncode == 0, sampled.stderr
    for name in ('caption_000_seed_000001_8.png', 'caption_000_seed_000001_16.png', 'grid_16.png'):
        assert (tmp_path / 'run' / name).read_bytes() == (tmp_path / 'export' / name).read_bytes()
    grid = np.asarray(Image.open(tmp_path / 'run' / 'grid_16.png'))[:, 190:]
    sketch = np.asarray(Image.open(tmp_path / 'run' / 'caption_000_seed_000001_8.png'))
    np.testing.assert_array_equal(grid[:48:6, 48::6], sketch)
