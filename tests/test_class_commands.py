"""The commands with classes: a folder with a sub-folder for each class."""

import json

import pytest
from command_runs import TINY, assert_one_line, command, run
from image_files import photograph, save
from PIL import Image


@pytest.fixture(scope='module')
def flags(made_once):
    def make(root):
        for number in range(12):
            save(root / ('finch', 'owl', 'wren')[number % 3] / f'{number}.png', photograph(seed=number))

    recipe, root = '--gin_file=gin/image_folder_classes.gin', made_once('animals', make)
    return [recipe, f"--gin_param=IMAGE_ROOT = '{root}'", '--gin_param=STEPS = 4', '--gin_param=CLASSES = 3', *TINY]


@pytest.fixture(scope='module')
def trained(flags, made_once):
    def make(folder):
        result = run(command('train', '--workdir=run', *flags), folder)
        assert result.returncode == 0, result.stderr

    return made_once('classes', make) / 'run'


def test_from_a_class_to_images(trained, tmp_path):
    labels = ['--label=owl', '--label=0', '--count=2']
    sampled = run(command('sample', f'--model={trained}', *labels, '--output=here'), tmp_path)
    assert sampled.returncode == 0, sampled.stderr
    exported = run(command('export', f'--model={trained}', '--output=model'), tmp_path)
    assert 'The class model is in model' in exported.stdout, exported.stderr
    again = run(command('sample', '--model=model', *labels, '--output=there'), tmp_path)
    assert again.returncode == 0, again.stderr
    names = sorted(path.name for path in (tmp_path / 'here').iterdir())
    assert names == [f'class_00{row}_seed_00000{seed}.png' for row in (0, 1) for seed in (0, 1)] + ['grid.png']
    for name in names:
        assert (tmp_path / 'here' / name).read_bytes() == (tmp_path / 'there' / name).read_bytes()
    assert Image.open(tmp_path / 'here' / 'grid.png').size == (190 + 2 * 48, 2 * 96)  # both sizes


def test_wrong_conditions_end_with_one_line(trained, tmp_path):
    for flags, message in (
        (['--label=owls'], "this model has no class 'owls': did you mean owl?"),
        (['--label=3'], "this model has no class '3': it has 0 to 2, such as finch"),
        ([], 'this model generates from classes: add --label="finch"'),
        (['--caption=an owl'], 'this model was trained without captions'),
    ):
        assert_one_line(run(command('sample', f'--model={trained}', *flags), tmp_path), message)


def test_a_wrong_number_of_classes(flags, tmp_path):
    result = run(command('train', f'--workdir={tmp_path}/run', *flags, '--gin_param=CLASSES = 4'), tmp_path)
    assert_one_line(result, 'have 3 numbers, Conditioning.embedding_dimension = 4: set')
    assert not (tmp_path / 'run').exists()


def test_a_checkpoint_records_the_classes(trained):
    progress = json.loads((trained / 'tree/checkpoints/step_000004/progress.json').read_text())
    assert progress['condition_source'] == {'class_names': ['finch', 'owl', 'wren']}
