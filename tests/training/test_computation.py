import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_run
from small_models import TREE, build

from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.computation import PRECISIONS, layers_in, prepare_steps
from stackgan_tf.training.devices import check_compilation
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run


def data(steps):
    rng = np.random.default_rng(0)
    images = tuple(rng.uniform(-1, 1, (4 * steps, s, s, 3)).astype('float32') for s in (8, 16))
    return tf.data.Dataset.from_tensor_slices({'images': images}).batch(4, drop_remainder=True)


def trained(precision='float32', jit_compile=False, at_once=1, steps=1):
    keras.utils.set_random_seed(0)
    with layers_in(precision):
        model = build(StackGANv2, **TREE, averaging_decay=0.9)
    prepare_steps(model, precision, jit_compile, at_once, steps)
    model.fit(data(steps), epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0)
    return model


@pytest.fixture(scope='module')
def plain():
    return trained().take_record(1)


@pytest.mark.parametrize('precision', PRECISIONS[1:])
def test_every_precision_has_the_losses_of_float32_and_keeps_its_variables(precision, plain):
    model = trained(precision)
    record = model.take_record(1)
    for name, value in plain.items():
        np.testing.assert_allclose(record[name], value, rtol=0.03, atol=0.01, err_msg=name)
    kinds = {v.dtype for n in (model.generator, *model.discriminators) for v in variables_of(n)}
    assert kinds == {tf.float32}
    if precision.startswith('mixed'):
        assert model.generator.next_branches[0].compute_dtype == precision.removeprefix('mixed_')
    images = model.generator_ema(tf.zeros((1, 8)), training=False)
    assert {image.dtype for image in images} == {tf.float32}
    assert keras.config.dtype_policy().name == 'float32'
    assert not tf.config.optimizer.get_experimental_options().get('auto_mixed_precision_onednn_bfloat16', False)


def test_xla_has_the_losses_of_float32(monkeypatch):
    # The same noise for both: under XLA TensorFlow makes other keys of a seed.
    noise = np.random.default_rng(1).normal(size=(4, 8)).astype('float32')
    monkeypatch.setattr(StackGANv2, 'draw', lambda *_: tf.constant(noise))
    plain, compiled = trained().take_record(1), trained(jit_compile=True).take_record(1)
    for name, value in plain.items():
        np.testing.assert_allclose(compiled[name], value, rtol=1e-3, atol=1e-4, err_msg=name)


def test_steps_at_once_are_the_same_steps():
    one, several = trained(steps=4), trained(at_once=2, steps=4)
    assert [int(model.step.numpy()) for model in (one, several)] == [4, 4]
    for value, other in zip(one.take_record(4).values(), several.take_record(4).values(), strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-3, atol=1e-4)


def test_a_tick_that_they_do_not_divide_takes_fewer_at_once():
    model = build(StackGANv2, **TREE)
    prepare_steps(model, 'float32', False, 4, 6)
    assert model.steps_per_execution == 2


def train(folder, steps):
    phase = Phase('tree', tiny_run.model, tiny_run.Noise, steps)
    run = Run([phase], 3, 3, 0, precision='mixed_float16', steps_per_execution=2)
    run.train(RunDirectory(folder, f'STEPS = {steps}\n'))
    with layers_in(run.precision):
        model = tiny_run.model()
    Checkpoints(folder / 'tree' / 'checkpoints').restore(model.checkpoint_variables())
    return model


def test_in_float16_a_resumed_run_equals_an_uninterrupted_one(tmp_path):
    tf.config.experimental.enable_op_determinism()
    whole = train(tmp_path / 'whole', 7)
    train(tmp_path / 'parts', 5)
    parts = train(tmp_path / 'parts', 7)
    assert int(whole.step.numpy()) == 7
    for name, variables in whole.checkpoint_variables().items():
        for one, other in zip(variables, parts.checkpoint_variables()[name], strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_xla_compiles_on_one_device_only():
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    check_compilation(False, two)
    with pytest.raises(UserError, match='jit_compile = True works on one device, and there are 2'):
        check_compilation(True, two)
