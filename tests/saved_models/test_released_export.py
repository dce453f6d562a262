"""Exports of released files, and the conversion tool."""

import os
import pickle

import keras
import numpy as np
import pytest
from command_runs import assert_one_line, command, run, tool
from pytorch_files import new_format, saved_in_2017, saved_today
from reed_encoders import checkpoint, encoder, parameters_of, t7
from released_reference import as_released, random_weights, scale_discriminator_shapes, tree_shapes

import stackgan_tf
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.released.networks import network_of
from stackgan_tf.sample import read_embeddings
from stackgan_tf.saved_models.released_export import export_checkpoint, read_reed_encoder, write_released_weights
from stackgan_tf.system.errors import UserError

GENERATOR = random_weights(tree_shapes(8, embedding=12, condition=5, noise=7, branches=1))
DISCRIMINATOR = random_weights(scale_discriminator_shapes(64, 4, 5))
CAPTIONS = ['a red bird', 'a bird with long wings and a black crown']


def convert(folder, *arguments):
    return run(tool('convert_pytorch_checkpoint.py', *arguments), folder)


@pytest.fixture
def folder(tmp_path):
    """A generator, its discriminator, and their text encoder."""
    (tmp_path / 'netG.pth').write_bytes(saved_in_2017(as_released(GENERATOR, counters=False)))
    (tmp_path / 'netD0.pth').write_bytes(saved_today(as_released(DISCRIMINATOR)))
    arrays = parameters_of((6, 8, 10), 12, True)
    (tmp_path / 'words.t7').write_bytes(t7(checkpoint(encoder(arrays, True, False))))
    return tmp_path


def test_a_generator_with_its_text_encoder(folder):
    result = convert(folder, 'netG.pth', '--text_encoder=words.t7', '--out=birds')
    assert result.returncode == 0, result.stderr
    assert 'In birds: generator of StackGAN-v2 with' in result.stdout
    assert 'an export of kind text, 64 pixels (' in result.stdout
    model = stackgan_tf.load(folder / 'birds')
    here = NetworkGenerator(network_of(GENERATOR, 'netG'), read_reed_encoder(folder / 'words.t7'))
    assert (model.kind, model.sizes) == ('text', (64,))
    np.testing.assert_allclose(model.embed(CAPTIONS), here.embed(CAPTIONS), atol=1e-6)
    differences = model.generate(CAPTIONS).astype(int) - here.generate(CAPTIONS)
    assert np.abs(differences).max() <= 1


def test_a_generator_from_embeddings(folder):
    assert 'of kind embedding' in export_checkpoint(folder / 'netG.pth', folder / 'birds')
    assert stackgan_tf.load(folder / 'birds').kind == 'embedding'
    embeddings = np.random.default_rng(0).standard_normal((2, 12), np.float32)
    np.save(folder / 'embeddings.npy', embeddings)
    flags = ['--model=birds', '--embeddings=embeddings.npy', '--count=2', '--output=images']
    sampled = run(command('sample', *flags), folder)
    assert sampled.returncode == 0, sampled.stderr
    names = {f'embedding_00{row}_seed_00000{seed}.png' for row in range(2) for seed in range(2)}
    assert {path.name for path in (folder / 'images').iterdir()} == names | {'grid.png'}


def test_embeddings_that_are_refused(tmp_path):
    np.save(tmp_path / 'good.npy', np.ones((2, 12)))
    assert read_embeddings(str(tmp_path / 'good.npy'), 12).dtype == np.float32
    np.save(tmp_path / 'objects.npy', np.array([{}], object))
    np.save(tmp_path / 'words.npy', np.full((2, 12), 'a'))
    (tmp_path / 'empty.npy').touch()
    wrong = {'narrow': np.ones((2, 7)), 'flat': np.ones(12), 'none': np.ones((0, 12))}
    for name, array in wrong.items():
        np.save(tmp_path / f'{name}.npy', array)
    for name, dimension, reason in (
        *((name, 12, r'does not hold numbers \[N, 12\]') for name in wrong),
        ('empty', 12, 'cannot be read: it is not a .npy file of numbers'),
        ('objects', 12, 'cannot be read: it is not a .npy file of numbers'),
        ('words', 12, 'cannot be read: it is not a .npy file of numbers'),
        ('nowhere', 12, 'cannot be read: No such file'),
        ('good', 0, 'this model reads no embeddings'),
    ):
        with pytest.raises(UserError, match=reason):
            read_embeddings(str(tmp_path / f'{name}.npy'), dimension)


def test_a_discriminator(folder):
    assert 'discriminator of StackGAN-v2' in export_checkpoint(folder / 'netD0.pth', folder / 'critic')
    loaded = keras.models.load_model(folder / 'critic' / 'discriminator.keras')
    inputs = np.ones((2, 64, 64, 3), 'f4'), np.ones((2, 5), 'f4')
    for there, here in zip(loaded(*inputs), network_of(DISCRIMINATOR, 'netD0')(*inputs), strict=True):
        np.testing.assert_array_equal(there, here)


def test_the_reverse(tmp_path):
    networks = {'netG': network_of(GENERATOR, 'netG'), 'netD0': network_of(DISCRIMINATOR, 'netD0')}
    write_released_weights(networks, tmp_path / 'back')
    for name, weights in (('netG', GENERATOR), ('netD0', DISCRIMINATOR)):
        with np.load(tmp_path / 'back' / f'{name}.npz', allow_pickle=False) as found:
            assert list(found) == [f'module.{key}' for key in weights]
            for key, value in weights.items():
                np.testing.assert_array_equal(found[f'module.{key}'], value, strict=True)
    with pytest.raises(UserError, match='back exists: remove it or name another folder'):
        write_released_weights(networks, tmp_path / 'back')


class Calls:
    def __reduce__(self):
        return os.system, ('touch marker',)


def test_mistakes_leave_nothing(folder):
    (folder / 'hostile.pth').write_bytes(new_format(pickle.dumps({'w': Calls()}, 2)[2:-1], {}))
    dog = random_weights(tree_shapes(8, embedding=0, noise=7, branches=1))
    (folder / 'dog.pth').write_bytes(saved_today(as_released(dog)))
    before = sorted(folder.iterdir())
    assert_one_line(convert(folder, 'hostile.pth', '--out=new'), "hostile.pth is refused: it asks for 'posix.system'")
    refused = convert(folder, 'words.t7', '--text_encoder=words.t7', '--out=new')
    assert_one_line(refused, '--text_encoder is for generators')
    words = read_reed_encoder(folder / 'words.t7')
    for source, reads in (('dog.pth', 'no embeddings'), ('netD0.pth', 'no embeddings')):
        with pytest.raises(UserError, match=f'{source} reads {reads}, the text encoder gives 12 numbers'):
            export_checkpoint(folder / source, folder / 'new', words)
    assert sorted(folder.iterdir()) == before
