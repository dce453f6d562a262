"""The recipes of the paper's data sets, with narrow networks, on tiny archives in the published formats."""

import json

import image_archives
import numpy as np
import pytest
import text_archives
from command_runs import run, tool
from PIL import Image

from stackgan_tf.data.published.data_sets import PUBLISHED_DATA_SETS
from stackgan_tf.data.published.preparation import list_data_sets, prepare_published
from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError

ARCHIVES = {
    'gin/cub.gin': text_archives.make_cub,
    'gin/cub_embeddings.gin': text_archives.make_cub,
    'gin/flowers.gin': text_archives.make_flowers,
    'gin/coco.gin': text_archives.make_coco,
    'gin/lsun_bedroom.gin': lambda folder: image_archives.make_lsun(folder, 'bedroom', 5),
    'gin/lsun_church.gin': lambda folder: image_archives.make_lsun(folder, 'church_outdoor', 5, zipped=True),
    'gin/imagenet_dog.gin': lambda folder: image_archives.make_imagenet(folder, 'dog', 1),
    'gin/imagenet_cat.gin': lambda folder: image_archives.make_imagenet(folder, 'cat', 1),
    'gin/text/cub.gin': text_archives.make_cub,
    'gin/evaluation/cub_inception.gin': text_archives.make_cub,
    'gin/evaluation/flowers_inception.gin': text_archives.make_flowers,
}
NARROW = [
    'STEPS = 3',
    'SIZES = (8, 16)',
    'BATCH_SIZE = 2',
    'TICK = 3',
    'CHECKPOINT_EVERY = 3',
    'StackGANv2.generator_width = 8',
    'TreeDiscriminators.width = 4',
    'StackGANv2.residual_blocks = 1',
]
NARROW_ENCODER = [
    'ENCODER_STEPS = 3',
    'ENCODER_BATCH_SIZE = 2',
    'TextMatching.sizes = (16,)',
    'TextMatching.image_tower = ""',
    'TextMatching.widths = (4, 4, 4)',
    'TextMatching.dimension = 8',
]
NARROW_CLASSIFIER = [
    "ClassClassifier.image_tower = 'MobileNetV2'",
    'ClassClassifier.image_weights = ""',
    'ClassClassifier.tower_size = 32',
]


def read(name, folder):
    settings = [*NARROW, f"IMAGE_ROOT = '{folder}/archives'", f"TfdsImages.data_dir = '{folder}/prepared'"]
    if name in ('gin/cub.gin', 'gin/flowers.gin', 'gin/coco.gin'):
        settings += [*NARROW_ENCODER, 'Conditioning.embedding_dimension = 8']
    elif name == 'gin/text/cub.gin':
        settings += [setting for setting in NARROW_ENCODER if 'STEPS' not in setting]
    elif name.endswith('_inception.gin'):
        settings = [setting for setting in settings if not setting.startswith(('StackGANv2', 'TreeD'))]
        settings += NARROW_CLASSIFIER
    return read_recipe([name], settings)


@pytest.mark.parametrize('name', ARCHIVES)
def test_a_recipe_trains_on_the_published_files(name, tmp_path):
    (tmp_path / 'archives').mkdir()
    ARCHIVES[name](tmp_path / 'archives')
    recipe = read(name, tmp_path)
    recipe.run.train(RunDirectory(tmp_path / 'run', recipe.config))
    for phase in recipe.run.phases:
        (line,) = (tmp_path / 'run' / phase.name / 'metrics.jsonl').read_text().splitlines()
        losses = {key: value for key, value in json.loads(line).items() if 'loss' in key}
        assert losses
        assert all(np.isfinite(value) for value in losses.values())
    # The data set is prepared: the files are not needed again.
    (tmp_path / 'archives').rename(tmp_path / 'elsewhere')
    assert recipe.run.phases[-1].data().count > 0


@pytest.mark.parametrize('name', ARCHIVES)
def test_without_the_files_a_recipe_names_what_is_missing(name, tmp_path):
    (tmp_path / 'archives').mkdir()
    with pytest.raises(UserError) as raised:
        read(name, tmp_path).run.phases[-1].data()
    said = str(raised.value).splitlines()[0]  # gin adds lines about where it was
    assert 'put ' in said
    assert 'IMAGE_ROOT' in said


def test_every_recipe_of_the_table_is_there():
    assert {data_set.recipe for data_set in PUBLISHED_DATA_SETS.values()} <= set(ARCHIVES)
    sizes = {name: data_set.examples['train'] for name, data_set in PUBLISHED_DATA_SETS.items()}
    paper = [8855, 7034, 82_783, 3_033_042, 126_227, 147_873, 6500]
    assert [count for name, count in sizes.items() if 'embeddings' not in name] == paper


def test_preparation_prints_requirements_first(tmp_path, monkeypatch, capsys):
    image_archives.make_lsun(tmp_path, 'church_outdoor', 6)
    monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'prepared'))
    monkeypatch.setattr('stackgan_tf.data.published.preparation.find_builder', _in(tmp_path / 'prepared'))
    folder = prepare_published('lsun_scenes/church_outdoor', str(tmp_path), examples=4)
    said = capsys.readouterr().out
    for part in ('2.4 GB: there, ', 'license', 'takes     about 2.4 GB', 'gin/lsun_church.gin'):
        assert part in said, part
    assert 'train: 4 images of 126,227 in the paper' in said
    assert folder.name == 'first_4'
    prepare_published('lsun_scenes/church_outdoor', str(tmp_path), examples=4)
    assert 'It is prepared already.' in capsys.readouterr().out
    list_data_sets()
    assert 'lsun_scenes/church_outdoor       not prepared' in capsys.readouterr().out


def test_a_data_set_that_the_disk_cannot_hold(tmp_path, monkeypatch):
    monkeypatch.setattr('stackgan_tf.data.published.preparation.find_builder', _in(tmp_path))
    monkeypatch.setattr('shutil.disk_usage', lambda _: type('Usage', (), {'free': 10**9}))
    with pytest.raises(UserError, match=r'has 1\.0 GB free, lsun_scenes/bedroom takes about 45\.9 GB'):
        prepare_published('lsun_scenes/bedroom', str(tmp_path))


def test_unknown_data_set():
    with pytest.raises(UserError, match="no data set 'cub': there are cub200_captions"):
        prepare_published('cub')


def test_the_tool_writes_a_grid(tmp_path):
    image_archives.make_imagenet(tmp_path, 'cat', 2)
    flags = [f'--manual_dir={tmp_path}', '--max_examples=4']
    prepare = tool('prepare_dataset.py', 'imagenet_subset/cat', *flags)
    result = run(prepare, tmp_path, TFDS_DATA_DIR=str(tmp_path / 'prepared'))
    assert result.returncode == 0, result.stderr
    assert Image.open(tmp_path / 'prepared.png').size == (256, 256)
    wrong = run(tool('prepare_dataset.py'), tmp_path)
    assert (wrong.returncode, wrong.stderr.count('\n')) == (2, 1)


def _in(folder):
    from stackgan_tf.data.tfds_images import find_builder

    return lambda name, data_dir='': find_builder(name, data_dir or str(folder))
