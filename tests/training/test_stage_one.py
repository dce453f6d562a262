import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import STAGE_ONE, STAGE_TWO, TREE, build

from stackgan_tf.models.stackgan_v1 import StageI, StageII
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.networks.descriptions import describe_network
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.saved_models.saved_model import export_saved_model
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.stage_one import load_stage_one
from stackgan_tf.training.text_encoders import check_dependents

TINY_RUN = Path(__file__).parents[1] / 'support' / 'tiny_run.py'


def no_data():
    raise AssertionError('reads data')


def first(size=8, width=8, embedding=0, noise=8, **settings):
    return build(
        StageI,
        size=size,
        batch_size=4,
        noise_dimension=noise,
        generator_width=width,
        discriminator__width=4,
        embedding_dimension=embedding,
        condition_dimension=5,
        **settings,
    )


def second(stage_one, embedding=0):
    return build(
        StageII,
        stage_one,
        **{**STAGE_TWO, 'size': 2 * stage_one.sizes[0], 'discriminator__residual': True},
        embedding_dimension=embedding,
        condition_dimension=5,
    )


def phase(weights, **settings):
    return Phase('second', second, no_data, 4, stage_one=first, stage_one_weights=weights, **settings)


def weights_of(network):
    return [value.numpy() for value in variables_of(network)]


def save(run, name, model, step=4, **progress):
    """A checkpoint as training writes it."""
    networks = {name: describe_network(network) for name, network in model.checkpoint_networks().items()}
    Checkpoints(run / name / 'checkpoints').save(
        step, model.checkpoint_variables(), {'step': step, **progress}, networks
    )


def loaded(directory, weights='first', **settings):
    """The weights of Stage-I in a Stage-II phase."""
    model = second(first(**settings).generator_ema, settings.get('embedding', 0))
    phases = [Phase('first', first, no_data, 4), phase(weights)]
    load_stage_one(phases[1], model, phases, directory, 'these')
    return weights_of(model.stage_one)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A run of one phase, and the weights of its averaged generator."""
    keras.utils.set_random_seed(3)
    folder, model = tmp_path_factory.mktemp('runs') / 'run', first()
    save(folder, 'first', model)
    export_saved_model(model.generator_ema, folder / 'export')
    return folder, weights_of(model.generator_ema)


@pytest.mark.parametrize('where', ['', 'first', 'export'])
def test_weights_come_from_a_run_a_phase_or_an_export(trained, tmp_path, where):
    folder, weights = trained
    for of_source, taken in zip(weights, loaded(tmp_path, str(folder / where)), strict=True):
        np.testing.assert_array_equal(of_source, taken)


def test_weights_come_from_a_phase_of_this_run(trained):
    for of_source, taken in zip(trained[1], loaded(trained[0]), strict=True):
        np.testing.assert_array_equal(of_source, taken)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'width': 16}, 'generator_width 8 there, 16 here:'),
        ({'size': 16}, 'size 8 there, 16 here:'),
        ({'embedding': 6}, 'embedding_dimension 0 there, 6 here:'),
        ({'noise': 9}, 'noise_dimension 8 there, 9 here:'),
        # Settings that no shape shows.
        ({'embedding': 6, 'activation': 'relu'}, 'activation leaky_relu there, relu here:'),
        ({'embedding': 6, 'conditioning__augmentation': False}, 'augmentation True there, False here:'),
    ],
)
def test_a_stage_one_of_other_settings_is_refused(tmp_path, settings, message):
    shared = {'embedding': 6} if len(settings) > 1 else {}
    save(tmp_path, 'first', first(**shared))
    with pytest.raises(UserError, match=f'differs from StageI here: .*{message}') as raised:
        loaded(tmp_path, **settings)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'width': 16}, r'channels before the image \(generator_width\) 8 there, 16 here'),
        ({'size': 16}, r'convolutions \(size, residual\) 4 there, 8 here'),
        ({'embedding': 6}, 'embedding_dimension 0 there, 6 here'),
        ({'noise': 9}, r'numbers in the first layer \(noise_dimension \+ condition_dimension\) 8 there, 9 here'),
    ],
)
def test_an_export_of_other_shapes_is_refused(trained, settings, message):
    with pytest.raises(UserError, match=f'differs from StageI here: .*{message}') as raised:
        loaded(trained[0], str(trained[0] / 'export'), **settings)
    assert '\n' not in str(raised.value)


def test_replicas_make_no_difference(tmp_path):
    model = first()
    networks = {'generator_ema': describe_network(model.generator_ema)}
    networks['generator_ema']['config']['synchronized'] = True
    Checkpoints(tmp_path / 'first' / 'checkpoints').save(4, model.checkpoint_variables(), {'step': 4}, networks)
    for saved, taken in zip(weights_of(model.generator_ema), loaded(tmp_path), strict=True):
        np.testing.assert_array_equal(saved, taken)


def test_a_stage_one_trained_on_other_embeddings_is_refused(tmp_path):
    save(tmp_path, 'first', first(embedding=6), step=1, embeddings='those')
    with pytest.raises(UserError, match='was trained on the embeddings those, here they are these: use'):
        loaded(tmp_path, embedding=6)
    save(tmp_path, 'first', first(embedding=6), step=2, embeddings='these')
    assert loaded(tmp_path, embedding=6)


def test_a_phase_of_another_generator_is_refused(tmp_path):
    save(tmp_path, 'first', build(StackGANv2, **TREE))
    with pytest.raises(UserError, match='is not a Stage-I: it trains a TreeGenerator'):
        loaded(tmp_path)


def test_weights_that_are_not_there(trained, tmp_path):
    with pytest.raises(UserError, match="stage_one_weights = 'first': that phase has trained nothing yet"):
        loaded(tmp_path)
    with pytest.raises(UserError, match=re.escape('is not a phase of this run (first, second), and there is no such')):
        loaded(tmp_path, 'runs/nothing')
    with pytest.raises(UserError, match='no model can be loaded from'):
        loaded(tmp_path, str(tmp_path))
    with pytest.raises(UserError, match=r'set second/Phase.stage_one_weights'):
        loaded(tmp_path, None)
    for name in ('other', 'first'):
        save(tmp_path, name, first())
    with pytest.raises(UserError, match=r'has several generators: name .*first or .*other'):
        loaded(tmp_path / 'new', str(tmp_path))


def test_only_stage_two_takes_over_a_stage_one():
    tree = Phase('tree', lambda: build(StackGANv2, **TREE), no_data, 4, stage_one=first)
    with pytest.raises(UserError, match=r'tree takes over no Stage-I: leave out tree/Phase.stage_one'):
        tree.make_model()


def test_stage_one_is_not_trained_further_under_stage_two(tmp_path):
    for name in ('first', 'second'):
        Checkpoints(tmp_path / name / 'checkpoints').save(4, {'step': [tf.Variable(4)]}, {})
    phases = [Phase('first', first, no_data, 8), phase('first')]
    with pytest.raises(UserError, match='second was trained on images of first, which would change with more steps'):
        check_dependents(phases[:1], phases, tmp_path)


def tiny_run(workdir, *arguments, devices=1):
    environment = {**os.environ, 'TINY_RUN_DEVICES': str(devices), 'TINY_RUN_STAGES': '1'}
    command = [sys.executable, str(TINY_RUN), str(workdir), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)


def losses(workdir):
    lines = [json.loads(line) for line in (workdir / 'second' / 'metrics.jsonl').read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != 'images_per_second'} for line in lines]


def restored(workdir, name, model):
    Checkpoints(workdir / name / 'checkpoints').restore(model.checkpoint_variables())
    return model


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('whole') / 'run'
    result = tiny_run(workdir, 16, 4, 8)
    assert result.returncode == 0, result.stderr
    assert 'second is done: 16 steps' in result.stdout
    return workdir


def test_both_stages_stop_and_resume_exactly(whole, tmp_path):
    stopped = tiny_run(tmp_path / 'parts', 16, 4, 8, 11)
    assert stopped.returncode == 143, stopped.stderr
    resumed = tiny_run(tmp_path / 'parts', 16, 4, 8)
    assert 'second: 16 steps of 4 of 16 images on 1 device(s), resuming after step 11' in resumed.stdout
    assert losses(tmp_path / 'parts') == losses(whole)


def test_stage_two_does_not_change_its_stage_one(whole):
    network = build(StageI, **STAGE_ONE, embedding_dimension=0).generator_ema
    of_first = restored(whole, 'first', build(StageI, **STAGE_ONE, embedding_dimension=0)).generator_ema
    stacked = restored(whole, 'second', build(StageII, network, **STAGE_TWO, embedding_dimension=0))
    stacked = stacked.generator_ema
    for before, after in zip(weights_of(of_first), weights_of(stacked.stage_one), strict=True):
        np.testing.assert_array_equal(before, after)


def test_two_devices_train_both_stages_as_one_does(whole, tmp_path):
    result = tiny_run(tmp_path / 'run', 4, 4, 8, devices=2)
    assert result.returncode == 0, result.stderr
    for one, two in zip(losses(whole), losses(tmp_path / 'run'), strict=False):
        assert two == pytest.approx(one, rel=0.02, abs=1e-3)
