"""Exports of conditional generators."""

import json
import os
import subprocess
import sys
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import tree_network

import stackgan_tf
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.char_cnn_rnn import LENGTH, CharCNNRNN
from stackgan_tf.saved_models.saved_model import export_saved_model
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder

ELSEWHERE = """
import json, sys
sys.modules['stackgan_tf'] = None  # importing it fails
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
signatures = {
    name: [sorted(function.structured_input_signature[1]), sorted(function.structured_outputs)]
    for name, function in model.signatures.items()
}
serve = model.signatures['serving_default']
captions = [f'a bird with {number} red feathers' for number in range(16)] + ['']
seeds = np.arange(17)
def pngs(size):
    parts = [slice(i, i + size) for i in range(0, 17, size)]
    served = [serve(caption=tf.constant(captions[part]), seed=tf.constant(seeds[part])) for part in parts]
    return [png for each in served for png in each['image_bytes'].numpy()]
embedding = model.signatures['embed'](caption=tf.constant(captions[:2]))['embedding']
inputs = {'noise': tf.zeros((2, 5)), 'embedding': embedding, 'conditioning_noise': tf.zeros((2, 3))}
with tf.GradientTape() as tape:
    tape.watch(inputs)
    loss = tf.reduce_sum(model(inputs)['image_16'] ** 2)
gradients = tape.gradient(loss, [*inputs.values(), *model.trainable_variables])
same_seed = serve(caption=tf.constant(captions[:2]), seed=tf.constant([3, 3], tf.int64))['image_bytes'].numpy()
print(json.dumps({
    'signatures': signatures,
    'same': pngs(1) == pngs(3) == pngs(17),
    'conditional': bool(same_seed[0] != same_seed[1]),
    'first': tf.io.decode_png(pngs(1)[0]).numpy().tolist(),
    'gradients': all(g is not None for g in gradients),
}))
"""


@pytest.fixture(scope='module')
def network():
    keras.utils.set_random_seed(0)
    return tree_network(embedding_dimension=12)


@pytest.fixture(scope='module')
def encoder():
    keras.utils.set_random_seed(1)
    network = CharCNNRNN(widths=(16, 16, 16), recurrence='relu', dimension=12, initial_range=0.0)
    network.build((None, LENGTH))
    network.embed.kernel.assign(30 * network.embed.kernel)  # untrained, captions hardly differ
    return CharacterEncoder(network)


@pytest.fixture(scope='module')
def exported(network, encoder, tmp_path_factory):
    target = tmp_path_factory.mktemp('models') / 'export'
    export_saved_model(network, target, encoder)
    return target


def test_a_fresh_process_with_tensorflow_alone(exported, network, encoder):
    command = [sys.executable, '-c', ELSEWHERE, str(exported)]
    environment = {**os.environ, 'PYTHONPATH': ''}
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    every = ['image_16', 'image_8']
    assert found['signatures'] == {
        'serving_default': [['caption', 'seed'], ['image_bytes']],
        'images': [['caption', 'seed'], every],
        'latent': [['conditioning_noise', 'embedding', 'noise'], every],
        'embed': [['caption'], ['embedding']],
    }
    assert found['same']
    assert found['conditional']
    assert found['gradients']
    here = NetworkGenerator(network, encoder).generate(['a bird with 0 red feathers'])
    np.testing.assert_array_equal(found['first'], here[0])


def test_the_loaded_model_is_the_network(exported, network, encoder):
    here, there = NetworkGenerator(network, encoder), stackgan_tf.load(exported)
    assert (there.kind, there.sizes, there.embedding_dimension) == ('text', here.sizes, 12)
    captions = ['a red bird', 'BLUE', '']
    np.testing.assert_array_equal(here.generate(captions, seed=4), there.generate(captions, seed=4))
    np.testing.assert_array_equal(here.embed(captions), there.embed(captions))


def test_an_archive_on_this_machine_is_loaded(exported, network, encoder, tmp_path):
    with tarfile.open(tmp_path / 'birds.tar.gz', 'w:gz') as archive:
        archive.add(exported, '.')
    loaded = stackgan_tf.load(tmp_path / 'birds.tar.gz')
    captions = ['a red bird', 'BLUE']
    np.testing.assert_array_equal(
        loaded.generate(captions, seed=4), NetworkGenerator(network, encoder).generate(captions, seed=4)
    )
    (tmp_path / 'empty.tar.gz').touch()
    with tarfile.open(tmp_path / 'outside.tar.gz', 'w:gz') as archive:
        archive.add(exported / 'saved_model.pb', '../saved_model.pb')
    for name in ('empty', 'outside'):
        with pytest.raises(UserError, match='no model can be loaded from'):
            stackgan_tf.load(tmp_path / f'{name}.tar.gz')


@pytest.mark.parametrize('signature', ['serving_default', 'images'])
def test_unequal_numbers_of_captions_and_seeds_are_an_error_in_the_graph(exported, signature):
    serve = tf.saved_model.load(str(exported)).signatures[signature]
    for captions, seeds in ((['a', 'b', 'c'], [1]), (['a'], [1, 2]), (['a', 'b'], [])):
        with pytest.raises(tf.errors.InvalidArgumentError, match='as many seeds are needed as captions'):
            serve(caption=tf.constant(captions), seed=tf.constant(seeds, tf.int64))


def test_captions_that_are_not_read_whole_are_named_once_a_call(exported, network, encoder, capsys):
    for model in (NetworkGenerator(network, encoder), stackgan_tf.load(exported)):
        model.generate(['a red bird', 'BLUE'])
        assert not capsys.readouterr().out
        model.generate(['x' * 202, '\u0436', '\u0448'])
        said = capsys.readouterr().out
        assert said.startswith(
            'The text encoder does not read all: 1 of 3 captions is longer than 201 characters, 2 of 3'
        )
        assert said.count('\n') == 1
        assert 'become 2 different ones' in said


def test_a_model_of_embeddings(network, tmp_path):
    export_saved_model(network, tmp_path / 'export')
    there = stackgan_tf.load(tmp_path / 'export')
    assert there.kind == 'embedding'
    embeddings = np.random.default_rng(0).normal(size=(2, 12)).astype('float32')
    np.testing.assert_array_equal(there.generate(embeddings), NetworkGenerator(network).generate(embeddings))
    signature = tf.saved_model.load(str(tmp_path / 'export')).signatures['serving_default']
    assert sorted(signature.structured_input_signature[1]) == ['embedding', 'seed']


def test_a_model_of_classes(network, tmp_path):
    names = [f'class {number}' for number in range(12)]
    export_saved_model(network, tmp_path / 'export', class_names=names)
    here, there = NetworkGenerator(network, class_names=names), stackgan_tf.load(tmp_path / 'export')
    assert (there.kind, there.class_names) == ('class', tuple(names))
    np.testing.assert_array_equal(there.generate(['class 7', 3], seed=4), here.generate([7, 3], seed=4))
    z, epsilon = tf.ones((2, 5)), tf.ones((2, 3))
    np.testing.assert_allclose(there.latent(z, [7, 3], epsilon)[16], here.latent(z, [7, 3], epsilon)[16], atol=1e-5)
    signatures = tf.saved_model.load(str(tmp_path / 'export')).signatures
    inputs = {name: sorted(function.structured_input_signature[1]) for name, function in signatures.items()}
    assert inputs == {
        'serving_default': ['label', 'seed'],
        'images': ['label', 'seed'],
        'latent': ['conditioning_noise', 'label', 'noise'],
    }
    assert signatures['images'].structured_input_signature[1]['label'].dtype == tf.int64
