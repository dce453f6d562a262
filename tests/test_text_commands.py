"""The commands with captions, as a user types them."""

import re
import shutil

import keras
import pytest
import tensorflow as tf
from command_runs import TINY, assert_one_line, command, run, tool, train, train_text
from PIL import Image

from stackgan_tf.loading import load
from stackgan_tf.networks.char_cnn_rnn import LENGTH, CharCNNRNN
from stackgan_tf.saved_models.text_encoder_module import export_text_encoder
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder


def test_a_text_encoder_trains_resumes_and_is_not_a_generator(tmp_path, unchecked_exports):
    small = [flag for flag in TINY if not any(name in flag for name in ('StackGANv2', 'TreeDiscriminators', 'SIZES'))]
    small += ['--gin_param=SIZES = (16,)', '--gin_param=TextMatching.widths = (4, 4, 4)']
    flags = ['--gin_file=gin/text/painted_birds.gin', f'--workdir={tmp_path}/run', *small]
    first = run(command('train', *flags, '--gin_param=STEPS = 4'), tmp_path)
    assert first.returncode == 0, first.stderr
    assert 'encoder 4/4' in first.stdout
    assert 'matching ' in first.stdout
    again = run(command('train', *flags, '--gin_param=STEPS = 6'), tmp_path)
    assert 'resuming after step 4' in again.stdout, again.stderr
    sampled = run(command('sample', f'--model={tmp_path}/run', '--count=1', '--output=here'), tmp_path)
    assert sampled.returncode == 2
    assert 'trains no generator: name a run whose last phase does' in sampled.stderr
    exported = run(command('export', f'--model={tmp_path}/run', '--output=words'), tmp_path)
    assert 'The text encoder (512 numbers a caption) is in words' in exported.stdout, exported.stderr
    unknown = run(command('export', f'--model={tmp_path}/run', '--phase=tree', '--output=other'), tmp_path)
    assert (unknown.returncode, unknown.stderr.count('\n')) == (2, 1)
    assert "has no phase 'tree': it has encoder" in unknown.stderr


CAPTIONS = ['a small red bird with a black crown', 'A BLUE bird \N{BIRD}' + 20 * ' of blue colors']


def test_from_captions_to_images(tiny_text_run, tmp_path):
    (tmp_path / 'captions.txt').write_text(f'{CAPTIONS[1]}\n', 'utf-8-sig')
    flags = [f'--caption={CAPTIONS[0]}', '--captions_file=captions.txt', '--count=3']
    sampled = run(command('sample', f'--model={tiny_text_run}', *flags, '--output=here'), tmp_path)
    assert sampled.returncode == 0, sampled.stderr
    assert len(list((tmp_path / 'here').glob('caption_00[01]_seed_00000[012].png'))) == 6
    assert 'does not read all: 1 of 2 captions is longer than 201 characters' in sampled.stdout
    assert Image.open(tmp_path / 'here' / 'grid.png').size == (190 + 3 * 48, 2 * 96)  # both sizes, one above the other
    exported = run(command('export', f'--model={tiny_text_run}', '--output=model'), tmp_path)
    assert 'The text model is in model' in exported.stdout, exported.stderr
    again = run(command('sample', '--model=model', *flags, '--output=there', '--every_size'), tmp_path)
    assert again.returncode == 0, again.stderr
    for name in ('caption_000_seed_000000', 'caption_001_seed_000002'):
        here, there = tmp_path / 'here' / f'{name}.png', tmp_path / 'there' / f'{name}_16.png'
        assert here.read_bytes() == there.read_bytes()
    assert run(tool('image_from_export.py', '--export=model', f'--caption={CAPTIONS[0]}'), tmp_path).returncode == 0
    images = [Image.open(tmp_path / name) for name in ('image.png', 'here/caption_000_seed_000000.png')]
    assert images[0].tobytes() == images[1].tobytes()


def test_an_encoder_with_a_damaged_checkpoint_is_trained_again_and_not_replaced(tiny_text_run, tmp_path):
    shutil.copytree(tiny_text_run, tmp_path / 'run')
    checkpoints = tmp_path / 'run' / 'encoder' / 'checkpoints'
    (checkpoints / 'step_000006' / 'variables.index').write_bytes(b'')
    with pytest.raises(UserError, match=r'with another text encoder than the one that is in .*encoder now'):
        load(tmp_path / 'run')
    again = run(train_text(tmp_path / 'run', 5), tmp_path)
    assert again.returncode == 0, again.stderr
    damage = 'is damaged (variables.index is not what was written): resuming from the one before it'
    assert f'{checkpoints}/step_000006 {damage}' in again.stdout
    assert re.search(r'encoder: 6 steps .*, resuming after step 4;', again.stdout)
    assert re.search(r'tree: 5 steps .*, resuming after step 4;', again.stdout)
    assert (checkpoints / 'damaged_step_000006').is_dir()
    assert load(tmp_path / 'run').kind == 'text'


def test_wrong_captions_end_with_one_line(tiny_text_run, tmp_path):
    (tmp_path / 'empty.txt').write_text('\n \n')
    for model, flags, message in (
        (tiny_text_run, [], 'this model generates from captions: add --caption='),
        (tiny_text_run, ['--caption=\udcff'], "--caption='\\udcff' is not UTF-8 text"),
        (tiny_text_run, ['--caption=a', '--seeds=²'], '--seeds=² cannot be read at'),
        (tiny_text_run, ['--captions_file=empty.txt'], '--captions_file=empty.txt has no captions'),
        (tiny_text_run, ['--captions_file=none.txt'], '--captions_file=none.txt cannot be read: No such file'),
    ):
        assert_one_line(run(command('sample', f'--model={model}', *flags), tmp_path), message)


READS = '--gin_param=Conditioning.embedding_dimension = 4'
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
def test_missing_embeddings_end_with_one_line(tmp_path, flags, message):
    module = tf.Module()
    module.__call__ = tf.function(lambda x: 2.0 * x, input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    tf.saved_model.save(module, str(tmp_path / 'module'))
    result = run(train(tmp_path / 'run', 2, *flags), tmp_path)
    assert (result.returncode, result.stderr.count('\n')) == (2, 1), result.stderr
    assert message in result.stderr
    assert not (tmp_path / 'run').exists()


def save_words(folder, seed):
    keras.utils.set_random_seed(seed)
    network = CharCNNRNN(widths=(4, 4, 4), recurrence='relu', dimension=4, initial_range=0.0)
    network.build((None, LENGTH))
    export_text_encoder(CharacterEncoder(network), folder)


def test_a_run_with_a_hub_module_exports_the_module_too(tmp_path, unchecked_exports):
    save_words(tmp_path / 'module', 0)
    trained = run(train('run', 4, READS, *HUB), tmp_path)
    assert trained.returncode == 0, trained.stderr
    exported = run(command('export', '--model=run', '--output=model'), tmp_path)
    assert 'The text model is in model' in exported.stdout, exported.stderr
    flags = [f'--caption={CAPTIONS[0]}', '--count=1']
    for model in ('run', 'model'):
        sampled = run(command('sample', f'--model={model}', *flags, f'--output={model}_images'), tmp_path)
        assert sampled.returncode == 0, sampled.stderr
    name = 'caption_000_seed_000000.png'
    assert (tmp_path / 'run_images' / name).read_bytes() == (tmp_path / 'model_images' / name).read_bytes()
    shutil.rmtree(tmp_path / 'module')
    save_words(tmp_path / 'module', 1)
    result = run(command('sample', '--model=run', *flags), tmp_path)
    assert_one_line(result, 'run was trained with another text encoder than the one that is in module now')
