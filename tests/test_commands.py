"""The commands as a user types them."""

import json
import re
import shutil
import signal
import subprocess
import tarfile

import numpy as np
import pytest
from command_runs import TINY, assert_one_line, command, run, run_process, tool, train
from image_files import photograph, save
from PIL import Image

from stackgan_tf.loading import load, load_adversaries
from stackgan_tf.networks.descriptions import describe_network
from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.callbacks.samples import SAMPLES
from stackgan_tf.training.health import sample_diversity


def test_training_speaks_to_the_user_and_to_nobody_else(tiny_run):
    said, _, errors = (tiny_run.parent / 'said.txt').read_text().partition('STDERR:')
    assert 'tree 4/4' in said
    assert 'tree is done: 4 steps' in said
    assert errors == ''


def test_small_networks_compute_each_operation_on_one_thread(tiny_run):
    # TensorFlow silently ignores the setting after the first operation.
    assert json.loads((tiny_run / 'environment.json').read_text())['starts'][0]['threads_per_operation'] == 1


def train_on(folder, workdir, *flags):
    settings = [f"--gin_param=IMAGE_ROOT = '{folder}'", '--gin_param=STEPS = 2']
    recipe = '--gin_file=gin/image_folder_64px.gin'
    return command('train', recipe, f'--workdir={workdir}', *settings, *TINY, *flags)


def test_a_folder_of_images(tmp_path):
    for number in range(6):
        save(tmp_path / 'my images' / f'{number}.jpg', photograph(40, 60, number))
    (tmp_path / 'my images' / 'bad.jpg').touch()
    all_train = '--gin_param=ImageFolder.test_fraction = 0.0'
    result = run(train_on(tmp_path / 'my images', 'run', all_train), tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ''
    assert 'First pass over 7 images' in result.stdout
    assert '1 files cannot be used:\n  bad.jpg: empty file\n' in result.stdout
    assert 'of 6 images' in result.stdout
    assert 'tree is done: 2 steps' in result.stdout
    (tmp_path / 'my images' / '0.jpg').unlink()
    again = run(train_on(tmp_path / 'my images', 'run', all_train, '--gin_param=STEPS = 4'), tmp_path)
    assert again.returncode == 0, again.stderr
    assert 'This run had 6 images until now' in again.stdout


@pytest.mark.parametrize(
    ('prepare', 'message'),
    [
        (lambda folder: None, 'does not exist'),
        (lambda folder: folder.mkdir(), 'has no images'),
        (
            lambda folder: save(folder / 'a.jpg') and (folder / 'metadata.jsonl').write_text('{x'),
            'jsonl, line 1: not JSON',
        ),
    ],
)
def test_errors_in_a_folder_end_with_one_line(prepare, message, tmp_path):
    prepare(tmp_path / 'set')
    result = run(train_on(tmp_path / 'set', 'run'), tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count('\n') == 1
    assert not (tmp_path / 'run').exists()


def test_a_folder_for_other_sizes_than_the_models(tmp_path):
    save(tmp_path / 'set' / 'a.jpg')
    result = run(train_on(tmp_path / 'set', 'run', '--gin_param=ImageFolder.sizes = (32,)'), tmp_path)
    assert_one_line(result, 'ImageFolder.sizes ends with 32, the sizes of the model with 16')
    assert not (tmp_path / 'run').exists()


def test_many_images(tiny_run, tmp_path):
    result = run(command('sample', f'--model={tiny_run}', '--count=70', '--columns=7', '--output=here'), tmp_path)
    assert result.returncode == 0, result.stderr
    assert '70 image(s) and their grid are in here' in result.stdout
    grid = np.asarray(Image.open(tmp_path / 'here' / 'grid.png'))
    assert grid.shape == (10 * 32, 7 * 16, 3)  # both sizes, one above the other
    (last,) = load(tiny_run).generate(1, seed=69)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / 'here' / 'seed_000069.png')), last)
    np.testing.assert_array_equal(grid[-16:, -16:], last)


def test_a_tilde_after_an_equals_sign_is_the_home_folder(tmp_path):
    result = run(command('sample', '--model=~/nowhere'), tmp_path, HOME=str(tmp_path))
    assert_one_line(result, f'there is no {tmp_path}/nowhere')


def test_from_a_run_to_an_export_and_its_images(tiny_run, tmp_path):
    sampled = run(command('sample', f'--model={tiny_run}', '--count=5', '--output=here', '--every_size'), tmp_path)
    assert sampled.returncode == 0, sampled.stderr
    assert Image.open(tmp_path / 'here' / 'grid_16.png').size == (48, 64)  # both sizes, one above the other
    assert Image.open(tmp_path / 'here' / 'seed_000004_8.png').size == (8, 8)
    exported = run(command('export', f'--model={tiny_run}', f'--output={tmp_path}/export'), tmp_path)
    assert exported.returncode == 0, exported.stderr
    again = run(command('sample', f'--model={tmp_path}/export', '--seeds=0-2,4', '--output=there'), tmp_path)
    assert again.returncode == 0, again.stderr
    for seed in (0, 2, 4):
        here, there = tmp_path / 'here' / f'seed_{seed:06d}_16.png', tmp_path / 'there' / f'seed_{seed:06d}.png'
        assert here.read_bytes() == there.read_bytes()
    fresh = run_process(tool('image_from_export.py', f'--export={tmp_path}/export', '--output=one.png'), tmp_path)
    assert fresh.returncode == 0, fresh.stderr
    assert Image.open(tmp_path / 'one.png').size == (16, 16)
    refused = run(command('export', f'--model={tiny_run}', f'--output={tmp_path}/export'), tmp_path)
    assert_one_line(refused, 'exists: remove it or name another folder')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (command('train'), 'name a recipe with --gin_file: there are gin/'),
        (command('train', '--gin_file=gin/quickstart.gin', '--gin_param=STEP = 3'), 'did you mean STEPS?'),
        (
            command('train', '--gin_file=gin/lsun_bedroom.gin'),
            'put bedroom_train_lmdb.zip there',
        ),
        (command('train', '--step=3'), "Unknown command line flag 'step'"),
        (command('sample', '--model=nowhere'), 'there is no nowhere'),
        (command('sample', '--model=nowhere', '--seeds=0-9223372036854775806'), 'names more than 1,000,000 seeds'),
        (command('sample', '--model=nowhere', '--seeds=0-999999,5'), 'names more than 1,000,000 seeds'),
        (command('sample', '--model=nowhere', f'--seeds={5_000 * "9"}'), 'write for example 0-15,40,42'),
        (command('sample', '--model=nowhere', '--seeds=²'), 'write for example 0-15,40,42'),
        (command('sample', '--model=nowhere', f'--count={10**18}'), '1000000]; --help lists the flags'),
        (command('sample', '--model=nowhere', f'--model={300 * "a"}'), 'cannot be read or written: File name too long'),
    ],
)
def test_errors_end_with_one_line_and_leave_nothing(arguments, message, tmp_path):
    assert_one_line(run(arguments, tmp_path), message)
    assert not list(tmp_path.iterdir())


def test_the_networks_of_a_run(tiny_run):
    generator, discriminators = load_adversaries(tiny_run)
    assert [network.size for network in discriminators] == list(generator.sizes) == [8, 16]
    np.testing.assert_array_equal(load(tiny_run).network.get_weights()[0], generator.get_weights()[0])
    with pytest.raises(UserError, match='has no phase'):
        load_adversaries(tiny_run, 'encoder')


def test_several_discriminators_of_a_size(tmp_path):
    recipe = read_recipe(
        ['gin/painted_birds_unconditional.gin'],
        [*(flag.removeprefix('--gin_param=') for flag in TINY), 'TreeDiscriminators.per_image = 2'],
    )
    model = recipe.run.phases[0].make_model()
    networks = {name: describe_network(network) for name, network in model.checkpoint_networks().items()}
    progress = {'step': 5, 'phases': ['tree']}
    Checkpoints(tmp_path / 'tree' / 'checkpoints').save(5, model.checkpoint_variables(), progress, networks)
    (tmp_path / 'config.gin').write_text(recipe.config)
    _, discriminators = load_adversaries(tmp_path)
    assert [network.size for network in discriminators] == [8, 8, 16, 16]
    for read, written in zip(discriminators, model.discriminators, strict=True):
        np.testing.assert_array_equal(read.get_weights()[0], written.get_weights()[0])


def test_the_diversity_of_samples_is_that_of_the_largest(tiny_run):
    last = json.loads((tiny_run / 'tree' / 'metrics.jsonl').read_text().splitlines()[-1])
    images = load(tiny_run).generate(SAMPLES)
    assert last['sample_diversity'] == pytest.approx(sample_diversity(images, conditional=False))


def test_batch_sizes_that_are_no_numbers(tiny_run, tmp_path):
    flags = [f'--model={tiny_run}', '--format=serving', f'--output={tmp_path}/served']
    for sizes in ('1,²', f'1,{5_000 * "9"}'):
        assert_one_line(run(command('export', *flags, f'--batch_sizes={sizes}'), tmp_path), 'are not numbers: write')
    assert not list(tmp_path.iterdir())


def test_captions_for_an_unconditional_model(tiny_run, tmp_path):
    result = run(command('sample', f'--model={tiny_run}', '--caption=a red bird'), tmp_path)
    assert_one_line(result, 'this model was trained without captions')


def test_a_model_card_has_the_scores_of_its_checkpoint(tiny_run, tmp_path, unchecked_exports):
    shutil.copytree(tiny_run, tmp_path / 'run')
    fid = {'value': 12.5, 'spread': None, 'spread_is': '', 'count': 9, 'protocol': 'how it was measured'}
    for step, message in ((2, 'the model card has no scores: evaluate again'), (4, '')):
        report = {'trained': ['tree', step], 'metrics': {'fid': fid}}
        (tmp_path / 'run' / 'evaluation.json').write_text(json.dumps(report))
        flags = ['--model=run', '--format=hub', f'--output=model_{step}.tar.gz']
        result = run(command('export', *flags), tmp_path)
        assert result.returncode == 0, result.stderr
        assert message in result.stdout
        with tarfile.open(tmp_path / f'model_{step}.tar.gz') as made:
            (card,) = [name for name in made.getnames() if name.endswith('.md')]
            assert ('how it was measured' in made.extractfile(card).read().decode()) == (step == 4)


def test_the_run_of_another_recipe_is_refused(tiny_run, tmp_path):
    result = run(train(tiny_run, 4, '--gin_param=SEED = 9'), tmp_path)
    assert_one_line(result, 'is a run with SEED = 0, now it is 9')


@pytest.mark.parametrize(('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_writes_a_checkpoint_first(tmp_path, number, status):
    process = subprocess.Popen(train(tmp_path / 'run', 100_000), cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if re.match(r'tree [1-9]\d*/100000', line):
            break
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == status
    assert 'the same command resumes the run' in output
    assert list((tmp_path / 'run' / 'tree' / 'checkpoints').glob('step_*'))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MB, if the machine allows the mount."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip('mounting a small disk is not allowed here')
    yield folder
    subprocess.run(['umount', str(folder)], check=True)


def test_no_space_at_the_start(small_disk, tmp_path):
    (small_disk / 'ballast').write_bytes(bytes(7 * 2**20))
    assert_one_line(run(train(small_disk / 'run', 4), tmp_path), 'free some space or name another --workdir')
    assert [path.name for path in small_disk.iterdir()] == ['ballast']


def test_a_disk_that_fills_up_keeps_the_last_good_checkpoint(small_disk, tmp_path):
    assert run(train(small_disk / 'run', 4), tmp_path).returncode == 0
    free = shutil.disk_usage(small_disk).free
    (small_disk / 'ballast').write_bytes(bytes(free - 200_000))
    result = run(train(small_disk / 'run', 8, '--gin_param=CHECKPOINT_EVERY = 8'), tmp_path)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert [folder.name for folder in (small_disk / 'run' / 'tree' / 'checkpoints').iterdir()] == ['step_000004']
    (small_disk / 'ballast').unlink()
    assert run(train(small_disk / 'run', 8), tmp_path).returncode == 0


def test_a_run_in_a_folder_that_became_read_only(small_disk, tmp_path):
    assert run(train(small_disk / 'run', 4), tmp_path).returncode == 0
    before = sorted(small_disk.rglob('*'))
    subprocess.run(['mount', '-o', 'remount,ro', str(small_disk)], check=True)
    assert_one_line(run(train(small_disk / 'run', 8), tmp_path), 'cannot be used (Read-only file system): name another')
    subprocess.run(['mount', '-o', 'remount,rw', str(small_disk)], check=True)
    assert sorted(small_disk.rglob('*')) == before
