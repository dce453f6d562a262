"""The commands as a person types them: each in a process of its own."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf
from picture_files import photograph, save
from PIL import Image

ROOT = Path(__file__).parents[1]
TINY = [
    '--gin_param=SIZES = (8, 16)',
    '--gin_param=BATCH_SIZE = 4',
    '--gin_param=TICK = 2',
    '--gin_param=CHECKPOINT_EVERY = 4',
    '--gin_param=StackGANv2.generator_width = 8',
    '--gin_param=StackGANv2.discriminator_width = 4',
]


def command(module, *flags):
    return [sys.executable, '-m', f'stackgan_tf.{module}', *map(str, flags)]


def run(arguments, cwd):
    return subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def train(workdir, steps, *flags):
    return command(
        'train',
        '--gin_file=gin/painted_birds_unconditional.gin',
        f'--workdir={workdir}',
        f'--gin_param=STEPS = {steps}',
        *TINY,
        *flags,
    )


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('user')
    result = run(train(folder / 'run', 4), folder)
    assert result.returncode == 0, result.stderr
    return folder / 'run', result


def test_training_speaks_to_the_user_and_to_nobody_else(trained):
    _, result = trained
    assert 'tree 4/4' in result.stdout
    assert 'tree is done: 4 steps' in result.stdout
    assert result.stderr == ''


def test_a_text_encoder_trains_goes_on_and_is_no_generator(tmp_path):
    small = [flag for flag in TINY if 'StackGANv2' not in flag and 'SIZES' not in flag]
    small += ['--gin_param=SIZES = (16,)', '--gin_param=TextMatching.widths = (4, 4, 4)']
    flags = ['--gin_file=gin/text/painted_birds.gin', f'--workdir={tmp_path}/run', *small]
    first = run(command('train', *flags, '--gin_param=STEPS = 4'), tmp_path)
    assert first.returncode == 0, first.stderr
    assert 'encoder 4/4' in first.stdout
    assert 'matching ' in first.stdout
    again = run(command('train', *flags, '--gin_param=STEPS = 6'), tmp_path)
    assert 'going on after step 4' in again.stdout, again.stderr
    sampled = run(command('sample', f'--model={tmp_path}/run', '--count=1', '--output=here'), tmp_path)
    assert sampled.returncode == 2
    assert 'trains no generator: its last phase is of a text encoder' in sampled.stderr
    exported = run(command('export', f'--model={tmp_path}/run', '--output=words'), tmp_path)
    assert 'The text encoder (512 numbers a caption) is in words' in exported.stdout, exported.stderr
    unknown = run(command('export', f'--model={tmp_path}/run', '--phase=tree', '--output=other'), tmp_path)
    assert (unknown.returncode, unknown.stderr.count('\n')) == (2, 1)
    assert "has no phase 'tree': it has encoder" in unknown.stderr


CAPTIONS = ['a small red bird with a black crown', 'A BLUE bird \N{BIRD}']


@pytest.fixture(scope='module')
def told(tmp_path_factory):
    """A run of the quickstart: a text encoder, and a tree that reads it."""
    folder = tmp_path_factory.mktemp('told')
    small = [*TINY, '--gin_param=ENCODER_STEPS = 2', '--gin_param=ENCODER_BATCH_SIZE = 4', '--gin_param=STEPS = 4']
    small += ['--gin_param=TextMatching.sizes = (8,)', '--gin_param=TextMatching.widths = (4, 4, 4)']
    result = run(command('train', '--gin_file=gin/quickstart.gin', f'--workdir={folder}/run', *small), folder)
    assert result.returncode == 0, result.stderr
    assert 'encoder is done' in result.stdout
    assert 'tree is done' in result.stdout
    return folder / 'run'


def test_from_captions_to_pictures(told, tmp_path):
    (tmp_path / 'captions.txt').write_text(f'\n{CAPTIONS[1]}\n', 'utf-8')
    flags = [f'--caption={CAPTIONS[0]}', '--captions_file=captions.txt', '--count=3']
    sampled = run(command('sample', f'--model={told}', *flags, '--output=here'), tmp_path)
    assert sampled.returncode == 0, sampled.stderr
    assert len(list((tmp_path / 'here').glob('caption_00[01]_seed_00000[012].png'))) == 6
    assert Image.open(tmp_path / 'here' / 'grid.png').size == (190 + 3 * 96, 2 * 96)
    exported = run(command('export', f'--model={told}', '--output=model'), tmp_path)
    assert 'The text model is in model' in exported.stdout, exported.stderr
    again = run(command('sample', '--model=model', *flags, '--output=there', '--every_size'), tmp_path)
    assert again.returncode == 0, again.stderr
    for name in ('caption_000_seed_000000', 'caption_001_seed_000002'):
        here, there = tmp_path / 'here' / f'{name}.png', tmp_path / 'there' / f'{name}_16.png'
        assert here.read_bytes() == there.read_bytes()
    tool = [sys.executable, ROOT / 'tools' / 'picture_from_export.py', '--export=model', f'--caption={CAPTIONS[0]}']
    assert run(tool, tmp_path).returncode == 0
    pictures = [Image.open(tmp_path / name) for name in ('picture.png', 'here/caption_000_seed_000000.png')]
    assert pictures[0].tobytes() == pictures[1].tobytes()


def test_captions_that_cannot_be_drawn_end_with_one_line(told, trained, tmp_path):
    (tmp_path / 'empty.txt').write_text('\n \n')
    for model, flags, message in (
        (told, [], 'this model draws what it is told: add --caption='),
        (trained[0], ['--caption=a red bird'], 'this model was trained without captions'),
        (told, ['--captions_file=empty.txt'], '--captions_file=empty.txt has no captions'),
        (told, ['--captions_file=none.txt'], '--captions_file=none.txt cannot be read: No such file'),
    ):
        assert_one_line(run(command('sample', f'--model={model}', *flags), tmp_path), message)


READS = '--gin_param=StackGANv2.embedding_dimension = 4'
HUB = ['--gin_param=tree/Phase.text_encoder = @HubEmbeddings', "--gin_param=HubEmbeddings.handle = 'module'"]


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (["--gin_param=tree/Phase.text_encoder = 'encoder'"], "'encoder' names no phase before it (it is the first)"),
        (
            [READS, *HUB],
            'module is no text encoder, which takes strings [N] and gives vectors [N, T]: it takes',
        ),
        (HUB[:1], 'this recipe does not set HubEmbeddings.handle'),
        (
            [READS, '--gin_param=tree/Phase.text_encoder = @StoredEmbeddings'],
            'has no stored embeddings',
        ),
        (['--gin_param=tree/Phase.text_encoder = @LabelVectors'], 'tree reads no embeddings'),
    ],
)
def test_embeddings_that_cannot_be_had_end_with_one_line(tmp_path, flags, message):
    module = tf.Module()
    module.__call__ = tf.function(lambda x: 2.0 * x, input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    tf.saved_model.save(module, str(tmp_path / 'module'))
    result = run(train(tmp_path / 'run', 2, *flags), tmp_path)
    assert (result.returncode, result.stderr.count('\n')) == (2, 1), result.stderr
    assert message in result.stderr
    assert not (tmp_path / 'run').exists()


def train_on(folder, workdir, *flags):
    settings = [f"--gin_param=IMAGE_ROOT = '{folder}'", '--gin_param=STEPS = 2']
    recipe = '--gin_file=gin/image_folder_64px.gin'
    return command('train', recipe, f'--workdir={workdir}', *settings, *TINY, *flags)


def test_a_folder_of_pictures(tmp_path):
    for number in range(6):
        save(tmp_path / 'my pictures' / f'{number}.jpg', photograph(40, 60, number))
    (tmp_path / 'my pictures' / 'bad.jpg').touch()
    result = run(train_on(tmp_path / 'my pictures', 'run'), tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ''
    assert 'First pass over 7 pictures' in result.stdout
    assert '1 files cannot be used:\n  bad.jpg: empty file\n' in result.stdout
    assert 'of 6 pictures' in result.stdout
    assert 'tree is done: 2 steps' in result.stdout
    (tmp_path / 'my pictures' / '0.jpg').unlink()
    again = run(train_on(tmp_path / 'my pictures', 'run', '--gin_param=STEPS = 4'), tmp_path)
    assert again.returncode == 0, again.stderr
    assert 'This run had 6 pictures until now' in again.stdout


@pytest.mark.parametrize(
    ('prepare', 'message'),
    [
        (lambda folder: None, 'does not exist'),
        (lambda folder: folder.mkdir(), 'has no pictures'),
        (
            lambda folder: save(folder / 'a.jpg') and (folder / 'metadata.jsonl').write_text('{'),
            'jsonl, line 1: not JSON',
        ),
    ],
)
def test_mistakes_with_a_folder_end_with_one_line(prepare, message, tmp_path):
    prepare(tmp_path / 'set')
    result = run(train_on(tmp_path / 'set', 'run'), tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count('\n') == 1
    assert not (tmp_path / 'run').exists()


def test_the_whole_way(trained, tmp_path):
    run_directory, _ = trained
    sampled = run(command('sample', f'--model={run_directory}', '--count=5', '--output=here', '--every_size'), tmp_path)
    assert sampled.returncode == 0, sampled.stderr
    assert Image.open(tmp_path / 'here' / 'grid_16.png').size == (48, 32)
    assert Image.open(tmp_path / 'here' / 'seed_000004_8.png').size == (8, 8)
    exported = run(command('export', f'--model={run_directory}', f'--output={tmp_path}/export'), tmp_path)
    assert exported.returncode == 0, exported.stderr
    again = run(command('sample', f'--model={tmp_path}/export', '--seeds=0-2,4', '--output=there'), tmp_path)
    assert again.returncode == 0, again.stderr
    for seed in (0, 2, 4):
        here, there = tmp_path / 'here' / f'seed_{seed:06d}_16.png', tmp_path / 'there' / f'seed_{seed:06d}.png'
        assert here.read_bytes() == there.read_bytes()
    tool = [
        sys.executable,
        ROOT / 'tools' / 'picture_from_export.py',
        f'--export={tmp_path}/export',
        '--output=one.png',
    ]
    assert run(tool, tmp_path).returncode == 0
    assert Image.open(tmp_path / 'one.png').size == (16, 16)
    refused = run(command('export', f'--model={run_directory}', f'--output={tmp_path}/export'), tmp_path)
    assert_one_line(refused, 'exists: remove it or name another folder')


def assert_one_line(result, message):
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (command('train'), 'name a recipe with --gin_file: there are gin/image_folder.gin'),
        (command('train', '--gin_file=gin/quickstart.gin', '--gin_param=STEP = 3'), 'did you mean STEPS?'),
        (
            command('train', '--gin_file=gin/lsun_bedroom.gin'),
            'needs the LSUN database bedroom_train_lmdb in IMAGE_ROOT',
        ),
        (command('train', '--steps=3'), "Unknown command line flag 'steps'"),
        (command('sample', '--model=nowhere'), 'there is no nowhere'),
    ],
)
def test_mistakes_end_with_one_line_and_leave_nothing(arguments, message, tmp_path):
    assert_one_line(run(arguments, tmp_path), message)
    assert not list(tmp_path.iterdir())


def test_the_run_of_another_recipe_is_refused(trained, tmp_path):
    result = run(train(trained[0], 4, '--gin_param=SEED = 9'), tmp_path)
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
    assert 'the same command goes on from here' in output
    assert list((tmp_path / 'run' / 'tree' / 'checkpoints').glob('step_*'))


def test_a_killed_process_goes_on_from_its_last_checkpoint(tmp_path):
    process = subprocess.Popen(train(tmp_path / 'run', 100_000), cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    checkpoints = tmp_path / 'run' / 'tree' / 'checkpoints'
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob('step_*')) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    step = max(int(folder.name.removeprefix('step_')) for folder in checkpoints.glob('step_*'))
    result = run(train(tmp_path / 'run', step + 4), tmp_path)
    assert result.returncode == 0, result.stderr
    assert f'going on after step {step}' in result.stdout


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MB, where the machine lets us have one."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip('mounting a small disk is not allowed here')
    yield folder
    subprocess.run(['umount', str(folder)], check=True)


def test_no_space_to_begin(small_disk, tmp_path):
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
