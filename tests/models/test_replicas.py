"""Two replicas give the results of one: losses, gradients, optimizers, statistics, averages; and they stay equal.

Two logical CPUs need a process of their own.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = """
import sys
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.experimental.enable_op_determinism()
from stackgan_tf.models.stackgan_v1 import StageI, StageII
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.training.computation import layers_in
from stackgan_tf.training.devices import all_devices, distributed
sys.path.append(sys.argv[2])
import small_models
from small_models import STAGE_ONE, STAGE_TWO, build

N, T = 8, 6
TREE = {**small_models.TREE, 'batch_size': N, 'averaging_decay': 0.9}
CONDITION = dict(embedding_dimension=T, condition_dimension=4)
REGULARIZATION = dict(discriminator_inputs__noise=0.1, r1_weight=1.0, r1_every=2, spectral_normalization=True)

def stage_two():
    first = build(StageI, **{**STAGE_ONE, 'batch_size': N}, **CONDITION)
    return build(StageII, first.generator_ema, **{**STAGE_TWO, 'batch_size': N}, **CONDITION, averaging_decay=0.9)

CASES = {
    'tree_without_normalized_discriminators': lambda: build(
        StackGANv2, **TREE, **CONDITION, normalization=False),
    'unconditional_tree_with_regularization': lambda: build(StackGANv2, **TREE, **REGULARIZATION),
    'stage_one': lambda: build(StageI, **{**STAGE_ONE, 'batch_size': N}, **CONDITION, averaging_decay=0.9),
    'stage_two': stage_two,
    'text_encoder': lambda: TextMatching(
        sizes=(16,), batch_size=N, widths=(8, 8, 8), dimension=8, initial_range=0.0, caption_weight=1.0, image_width=4),
    'tree': lambda: build(StackGANv2, **TREE, **CONDITION),  # the last: it is trained further
}

def batches(model):
    rng = np.random.default_rng(0)
    batch = {'images': tuple(rng.uniform(-1, 1, (N, s, s, 3)).astype('float32') for s in model.sizes)}
    if 'tokens' in model.batch_keys:
        batch |= {name: rng.integers(1, 60, (N, 201)).astype('int32') for name in ('tokens', 'other_tokens')}
    if 'label' in model.batch_keys:
        # Within a half of the batch, some rows have no partner of another class.
        batch['label'] = np.array([0, 0, 0, 0, 0, 1, 2, 0], np.int32)
    if 'embedding' in model.batch_keys:
        batch['embedding'] = rng.normal(size=(N, T)).astype('float32')
        batch['has_condition'] = np.array([1, 1, 0, 1, 1, 1, 1, 1], np.float32)
    def make(shares, own_shares):
        whole = tf.data.Dataset.from_tensor_slices(batch).batch(N // shares, drop_remainder=True)
        return whole.skip(own_shares.start).take(len(own_shares))
    return make

def train(model, strategy, steps):
    model.fit(distributed(batches(model), strategy), steps_per_epoch=steps, verbose=0, shuffle=False)

results = {}
one, two = tf.distribute.get_strategy(), all_devices()
assert two.num_replicas_in_sync == 2
for name, make in CASES.items():
    for replicas, strategy in ((1, one), (2, two)):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = make()
        train(model, strategy, 1)
        kept = {key: variables for key, variables in model.checkpoint_variables().items()
                if 'optimizer' in key or key == 'generator_ema'}
        for key, variables in kept.items():
            for number, variable in enumerate(variables):
                results[f'{name}/{replicas}/{key}/{number}'] = variable.numpy()
        for loss, value in model.take_record(1).items():
            results[f'{name}/{replicas}/record/{loss}'] = value
train(model, two, 19)
assert int(model.step.numpy()) == 20
drifted = [variable.name for variables in model.checkpoint_variables().values() for variable in variables
           if not np.array_equal(*(copy.numpy() for copy in variable.values))]
with two.scope(), layers_in('mixed_float16'):
    model = build(StackGANv2, **TREE, normalization=False)
parts = [variable for network in model.discriminators for variable in network.trainable_variables]
before = [variable.numpy() for variable in parts]
overflowing = np.zeros((N, 16, 16, 3), np.float32)
overflowing[N // 2 :] = np.inf  # the second replica's half
images = (overflowing[:, ::2, ::2], overflowing)
def halves(shares, own_shares):
    return tf.data.Dataset.from_tensor_slices({'images': images}).batch(N // shares).skip(own_shares.start)
train_on = distributed(halves, two)
model.fit(train_on, steps_per_epoch=1, verbose=0, shuffle=False)
results['skipped'] = np.array([np.array_equal(old, copy.numpy()) for old, variable in zip(before, parts, strict=True)
                                for copy in variable.value.values])
results['scales'] = np.array([float(each.dynamic_scale.numpy()) for each in model.discriminator_optimizers])
results['drifted'] = np.array(drifted, dtype=str)
np.savez(sys.argv[1], **results)
"""


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp('replicas') / 'results.npz'
    support = Path(__file__).parents[1] / 'support'
    subprocess.run([sys.executable, '-c', SCRIPT, str(path), str(support)], check=True, timeout=600)
    return dict(np.load(path))


@pytest.mark.parametrize(
    'case',
    [
        'tree',
        'tree_without_normalized_discriminators',
        'unconditional_tree_with_regularization',
        'stage_one',
        'stage_two',
        'text_encoder',
    ],
)
def test_one_global_batch_gives_the_same_on_two_replicas(results, case):
    """Adam's first moments after one step are the gradients, times 0.5 or 0.1."""
    ones = [name for name in results if name.startswith(f'{case}/1/')]
    assert {name.split('/')[2] for name in ones} >= {'record'}
    assert any('optimizer' in name for name in ones)
    for name in ones:
        one, two = results[name], results[name.replace('/1/', '/2/', 1)]
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-5, err_msg=name)


def test_in_float16_an_overflow_on_one_replica_skips_the_step_on_all(results):
    assert results['skipped'].all()
    assert results['scales'].tolist() == [2.0**14] * 2  # halved


def test_replicas_are_equal_after_twenty_steps(results):
    assert results['drifted'].tolist() == []
