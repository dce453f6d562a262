import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import stackgan_tf
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.saved_models.saved_model import export_saved_model
from stackgan_tf.system.errors import UserError

# The code of another project: it imports neither this package nor Keras.
ELSEWHERE = """
import json, sys
import numpy as np, tensorflow as tf, tensorflow_hub as hub
assert not any(name.startswith('stackgan_tf') for name in sys.modules)
model = hub.load(sys.argv[1])
signatures = {
    name: [
        {k: [v.dtype.name, v.shape.as_list()] for k, v in function.structured_input_signature[1].items()},
        {k: [v.dtype.name, v.shape.as_list()] for k, v in function.structured_outputs.items()},
    ]
    for name, function in model.signatures.items()
}
serve = model.signatures['serving_default']
seeds = np.arange(100, 117)
batches = {1: [seeds[i : i + 1] for i in range(17)], 3: [seeds[i : i + 3] for i in range(0, 17, 3)], 17: [seeds]}
def pngs(parts):
    return [p for part in parts for p in serve(seed=tf.constant(part))['image_bytes'].numpy()]
png = {n: pngs(parts) for n, parts in batches.items()}
noise = tf.random.stateless_normal((2, 5), (1, 2))
with tf.GradientTape() as tape:
    tape.watch(noise)
    images = model({'noise': noise})
    loss = sum(tf.reduce_sum(image ** 2) for image in images.values())
gradients = tape.gradient(loss, [noise, *model.trainable_variables])
layer = hub.KerasLayer(sys.argv[1], trainable=True)
np.testing.assert_allclose(layer({'noise': noise})['image_16'], images['image_16'], atol=1e-5)
print(json.dumps({
    'signatures': signatures,
    'same': png[1] == png[3] == png[17],
    'different': len(set(png[17])),
    'first': tf.io.decode_png(png[17][0]).numpy().tolist(),
    'variables': len(model.variables),
    'trainable': sum(int(np.prod(v.shape)) for v in model.trainable_variables),
    'layer': len(layer.trainable_variables),
    'regularization': len(model.regularization_losses),
    'gradients': all(g is not None and float(tf.reduce_max(abs(g))) > 0 for g in gradients),
}))
"""


@pytest.fixture(scope='module')
def network():
    network = TreeGenerator(sizes=(8, 16), noise_dimension=5, generator_width=8, residual_blocks=1)
    network.build((None, 5))
    for _ in range(3):  # moving statistics that differ from their start
        network(tf.random.stateless_normal((8, 5), (3, 4)), training=True)
    return network


@pytest.fixture(scope='module')
def exported(network, tmp_path_factory):
    target = tmp_path_factory.mktemp('models') / 'deep' / 'export'
    export_saved_model(network, target)
    return target


@pytest.fixture(scope='module')
def elsewhere(exported):
    result = subprocess.run(
        [sys.executable, '-c', ELSEWHERE, str(exported)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=exported.parent,
        env={**os.environ, 'PYTHONPATH': ''},
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_signatures_are_those_of_the_contract(elsewhere):
    seed = {'seed': ['int64', [None]]}
    assert elsewhere['signatures'] == {
        'serving_default': [seed, {'image_bytes': ['string', [None]]}],
        'images': [seed, {f'image_{s}': ['uint8', [None, s, s, 3]] for s in (8, 16)}],
        'latent': [
            {'noise': ['float32', [None, 5]]},
            {f'image_{s}': ['float32', [None, s, s, 3]] for s in (8, 16)},
        ],
    }


@pytest.mark.parametrize('branch_images', ['last_alone', 'last_size'])
def test_a_tree_whose_images_are_of_one_size(tmp_path, branch_images):
    network = TreeGenerator(
        sizes=(8, 16), noise_dimension=5, generator_width=8, residual_blocks=1, branch_images=branch_images
    )
    network.build((None, 5))
    export_saved_model(network, tmp_path / 'export')
    model = stackgan_tf.load(str(tmp_path / 'export'))
    assert tuple(model.sizes) == (16,)
    assert set(model.latent(np.zeros((1, 5), np.float32))) == {16}
    np.testing.assert_array_equal(model.generate(2, seed=3), NetworkGenerator(network).generate(2, seed=3))


def test_the_same_seed_gives_the_same_bytes_in_batches_of_1_3_and_17(elsewhere):
    assert elsewhere['same']
    assert elsewhere['different'] == 17


def test_the_export_is_a_reusable_saved_model(elsewhere, network):
    assert elsewhere['variables'] == len(network.variables)
    assert elsewhere['trainable'] == sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert elsewhere['layer'] == len(network.trainable_variables)
    assert elsewhere['regularization'] == 0
    assert elsewhere['gradients']


def test_the_export_generates_the_images_of_the_network(elsewhere, network):
    np.testing.assert_array_equal(elsewhere['first'], NetworkGenerator(network).generate(1, seed=100)[0])


def test_loaded_model_has_the_interface_of_a_network(exported, network):
    here, there = NetworkGenerator(network), stackgan_tf.load(str(exported))
    assert (there.kind, there.sizes, there.noise_dimension) == (here.kind, here.sizes, here.noise_dimension)
    for size, images in here.generate(5, seed=9, every_size=True).items():
        np.testing.assert_array_equal(images, there.generate(5, seed=9, every_size=True)[size])
    z = tf.random.stateless_normal((2, 5), (1, 1))
    np.testing.assert_allclose(here.latent(z)[16], there.latent(z)[16], atol=1e-6)


def test_the_export_as_a_keras_layer(exported):
    import keras

    layer = keras.layers.TFSMLayer(str(exported), call_endpoint='__call__')
    assert layer({'noise': tf.zeros((2, 5))})['image_16'].shape == (2, 16, 16, 3)


def test_an_existing_target_is_refused_and_left_alone(exported, network):
    before = sorted(path.name for path in exported.parent.iterdir())
    with pytest.raises(UserError, match='exists'):
        export_saved_model(network, exported)
    assert sorted(path.name for path in exported.parent.iterdir()) == before


def test_a_failed_export_leaves_nothing(network, tmp_path, monkeypatch):
    def fail(module, path, signatures):
        tf.io.gfile.makedirs(path)
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(tf.saved_model, 'save', fail)
    with pytest.raises(OSError, match='No space'):
        export_saved_model(network, tmp_path / 'export')
    assert not list(tmp_path.iterdir())


def test_foreign_and_damaged_exports_are_refused_in_one_line(exported, tmp_path):
    def refusal():
        with pytest.raises(UserError) as raised:
            stackgan_tf.load(tmp_path / 'export')
        assert '\n' not in str(raised.value)
        return str(raised.value)

    other = tf.Module()
    noise = tf.TensorSpec([None, 5], tf.float32, 'noise')
    function = tf.function(lambda noise: {'image': noise}, input_signature=[noise])
    tf.saved_model.save(other, str(tmp_path / 'export'), {'latent': function, 'serving_default': function})
    assert "it lacks the signature 'images'" in refusal()
    signatures = dict.fromkeys(('latent', 'images', 'serving_default'), function)
    tf.saved_model.save(other, str(tmp_path / 'export'), signatures)
    assert 'is no export of stackgan_tf: its signatures are others: ' in refusal()
    for damage in (
        lambda folder: (folder / 'saved_model.pb').write_bytes((exported / 'saved_model.pb').read_bytes()[:3000]),
        lambda folder: (folder / 'saved_model.pb').write_bytes(b''),
        lambda folder: (folder / 'saved_model.pb').write_bytes(b'<!DOCTYPE html>'),
        lambda folder: shutil.rmtree(folder / 'variables'),
        lambda folder: (folder / 'variables' / 'variables.index').write_bytes(b'x' * 500),
        lambda folder: next(folder.glob('variables/*.data-*')).write_bytes(b'x' * 500),
    ):
        shutil.rmtree(tmp_path / 'export')
        shutil.copytree(exported, tmp_path / 'export')
        damage(tmp_path / 'export')
        refusal()


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UserError, match='holds no model'):
        stackgan_tf.load(tmp_path)
    with pytest.raises(UserError, match='there is no'):
        stackgan_tf.load(tmp_path / 'nothing')
    tf.saved_model.save(tf.Module(), str(tmp_path / 'other'))
    with pytest.raises(UserError, match='no export of stackgan_tf'):
        stackgan_tf.load(tmp_path / 'other')
