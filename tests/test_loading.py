"""Runs load from their checkpoints alone: networks from descriptions, without recipe, training models and data."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import gin
from stackgan_tf.commands.evaluators import open_model
from stackgan_tf.loading import load, load_adversaries, load_phase
from stackgan_tf.networks.descriptions import describe_network
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.errors import UserError

PROGRESS = {
    'step': 4,
    'phases': ['tree'],
    'model': 'StackGANv2',
    'condition_source': {},
    'embeddings': None,
    'embedding_scale': [0.5, 0.01],
}


def built(network):
    generates = isinstance(network, TreeGenerator)
    network.build((None, network.noise_dimension) if generates else (None, network.size, network.size, 3))
    return network


def networks():
    """A generator of 8 and 16 pixels, and discriminators of which several have one size."""
    keras.utils.set_random_seed(0)
    discriminators = {
        f'discriminator_8_{number}': built(ScaleDiscriminator(size=8, width=4)) for number in range(1, 12)
    }
    return {
        'generator_ema': built(TreeGenerator(sizes=(8, 16), noise_dimension=8, generator_width=8, residual_blocks=0)),
        **discriminators,
    }


def save(run, described=None, **made):
    """A run as training writes it, with a recipe that cannot be read; `described` replaces descriptions."""
    run.mkdir(parents=True, exist_ok=True)
    (run / 'config.gin').write_text('this is { not gin\n')
    variables = {name: [variable.value for variable in network.variables] for name, network in made.items()}
    descriptions = {name: describe_network(network) for name, network in made.items()} | (described or {})
    Checkpoints(run / 'tree' / 'checkpoints').save(4, variables, PROGRESS, descriptions)


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('runs') / 'run'
    save(folder, **networks())
    return folder


def test_a_run_loads_without_its_recipe(run):
    assert load(run).embedding_scale == (0.5, 0.01)
    images = load(run).generate(3)
    assert (images.shape, images.dtype) == ((3, 16, 16, 3), np.uint8)
    expected = networks()['generator_ema']
    generator, _ = load_adversaries(run)
    for saved, loaded in zip(expected.variables, generator.variables, strict=True):
        np.testing.assert_array_equal(saved, loaded)


def test_discriminators_of_one_size_keep_their_order(run):
    made = networks()
    _, discriminators = load_adversaries(run)
    assert len(discriminators) == 11
    for number, discriminator in enumerate(discriminators, start=1):
        saved = made[f'discriminator_8_{number}'].variables
        np.testing.assert_array_equal(saved[0], discriminator.variables[0])


def test_loading_imports_no_recipe_no_training_model_and_no_data(run):
    script = """
import json, sys
from stackgan_tf.loading import load
load(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, '-c', script, str(run)], check=True, capture_output=True, text=True, timeout=200
    )
    imported = json.loads(result.stdout.splitlines()[-1])
    packages = ('gin', 'stackgan_tf.recipe', 'stackgan_tf.models', 'stackgan_tf.data')
    assert [name for name in imported if name.startswith(tuple(f'{package}.' for package in packages))] == []
    assert not set(packages) & set(imported)


def test_the_callers_gin_configuration_stays(run):
    gin.clear_config()
    gin.parse_config('BATCH_SIZE = 7')
    before = gin.config_str()
    try:
        load(run)
        assert gin.config_str() == before
        assert gin.query_parameter('%BATCH_SIZE') == 7
    finally:
        gin.clear_config()


@pytest.mark.parametrize(
    ('description', 'reason'),
    [
        ({'class': 'Model', 'config': {}}, 'KeyError'),
        ({'class': 'TreeGenerator', 'config': {'layers': 3}}, 'Unrecognized keyword'),
        ({'class': 'TreeGenerator'}, 'KeyError'),
        # The description is valid, but of another network than the weights.
        (
            describe_network(TreeGenerator(sizes=(8, 16), noise_dimension=8, generator_width=16, residual_blocks=0)),
            'weights are of another network',
        ),
        (
            describe_network(TreeGenerator(sizes=(8,), noise_dimension=8, generator_width=8, residual_blocks=0)),
            'weights are of another network',
        ),
    ],
)
def test_descriptions_that_do_not_fit_are_refused_in_one_line(tmp_path, description, reason):
    made = networks()['generator_ema']
    save(tmp_path / 'run', {'generator_ema': description}, generator_ema=made)
    with pytest.raises(UserError, match=f'holds no generator_ema that this version can build .*{reason}') as refused:
        load(tmp_path / 'run')
    assert '\n' not in str(refused.value)


def test_networks_that_were_trained_on_replicas_load_on_one_device(tmp_path, run):
    made = networks()
    descriptions = {name: describe_network(network) for name, network in made.items()}
    for number, description in enumerate(descriptions.values()):
        description['config']['synchronized'] = number % 2 == 0
    save(tmp_path / 'run', descriptions, **made)
    generator, discriminators = load_adversaries(tmp_path / 'run')
    assert not any(network.get_config()['synchronized'] for network in (generator, *discriminators))
    np.testing.assert_array_equal(load(tmp_path / 'run').generate(2), load(run).generate(2))


def test_only_runs_have_checkpoints(tmp_path):
    (tmp_path / 'saved_model.pb').touch()
    (tmp_path / 'images').mkdir()
    for source in (tmp_path, tmp_path / 'images'):
        for checkpoint in ('best', '4'):
            with pytest.raises(UserError, match=r'is not a run, so it has no checkpoint .*: leave out --checkpoint'):
                open_model(str(source), checkpoint)


def test_every_kind_of_model_loads_from_the_checkpoint_that_is_named(tmp_path):
    network = built(
        ScaleDiscriminator(size=8, width=4)
    )  # any network: a classifier, or a text encoder, is read the same way
    checkpoints = Checkpoints(tmp_path / 'tree' / 'checkpoints')
    (tmp_path / 'config.gin').touch()
    for step in (4, 8):
        network.variables[0].assign(keras.ops.full_like(network.variables[0], step))
        variables = {'network': [variable.value for variable in network.variables]}
        progress = {**PROGRESS, 'step': step, 'image_size': 8}
        checkpoints.save(step, variables, progress, {'network': describe_network(network)})
    for which, step in (('4', 4), ('newest', 8)):
        assert (load_phase(tmp_path, checkpoint=which).network.variables[0].numpy() == step).all()
    with pytest.raises(UserError, match="no checkpoint '5'"):
        load_phase(tmp_path, checkpoint='5')


def test_a_folder_without_a_recipe_is_not_a_run(tmp_path, run):
    (tmp_path / 'run').mkdir()
    with pytest.raises(UserError, match='holds no model: name a run directory or an exported model'):
        load(tmp_path / 'run')
    (tmp_path / 'run' / 'config.gin').touch()
    with pytest.raises(UserError, match='holds no checkpoint yet: train first'):
        load(tmp_path / 'run')
