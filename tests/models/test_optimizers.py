import keras
import numpy as np
import tensorflow as tf
from small_models import TREE, build

from stackgan_tf.models.optimizers import adam
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.training.computation import layers_in


def normal(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(2.0, 3.0, shape).astype('float32'))


def tree(**settings):
    keras.utils.set_random_seed(0)
    return build(StackGANv2, **TREE, averaging_decay=0.9, **settings)


def batch():
    rng = np.random.default_rng(0)
    return {'images': tuple(tf.constant(rng.uniform(-1, 1, (4, s, s, 3)), tf.float32) for s in (8, 16))}


def values(holder):
    return [variable.numpy() for variable in variables_of(holder)]


def weights(network):
    return [variable.numpy() for variable in network.trainable_variables]


def test_accumulated_steps_move_once_by_the_mean_gradient():
    gradients = [normal(3, seed=seed) for seed in range(4)]
    variables = [keras.Variable(tf.ones(3)) for _ in range(2)]
    accumulating, plain = adam(0.1, variables[:1], accumulated=2), adam(0.1, variables[1:])
    for first, second in zip(gradients[::2], gradients[1::2], strict=True):
        before = variables[0].numpy()
        accumulating.apply([first])
        np.testing.assert_array_equal(variables[0], before)
        accumulating.apply([second])
        plain.apply([(first + second) / 2])
        np.testing.assert_allclose(*variables, rtol=1e-5)


def test_generator_and_average_move_once_in_the_accumulated_steps():
    model = tree(accumulated_steps=2)
    step = tf.function(model.train_step)
    first, average = weights(model.generator), values(model.generator_ema)
    step(batch())
    for one, other in zip(first, weights(model.generator), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(average, values(model.generator_ema), strict=True):
        np.testing.assert_array_equal(one, other)
    step(batch())
    assert any((one != other).any() for one, other in zip(first, weights(model.generator), strict=True))
    moved = zip(average, values(model.generator_ema), values(model.generator), strict=True)
    for before, after, generator in moved:
        np.testing.assert_allclose(after, 0.9 * before + 0.1 * generator, atol=1e-6)


def test_in_float16_each_optimizer_has_its_own_scale_and_skips_steps_that_overflow():
    with layers_in('mixed_float16'):
        model = tree()
    assert all(isinstance(each, keras.optimizers.LossScaleOptimizer) for each in model.optimizers())
    step = tf.function(model.train_step)
    too_much = 2.0**100
    model.optimizer.dynamic_scale.assign(too_much)
    before = [weights(network) for network in (model.generator, *model.discriminators)]
    record = step(batch())
    assert all(np.isfinite(value) for value in record.values())
    after = [weights(network) for network in (model.generator, *model.discriminators)]
    same = [all(map(np.array_equal, *pair)) for pair in zip(before, after, strict=True)]
    assert same == [True, False, False]
    assert float(model.optimizer.dynamic_scale) == too_much / 2
    assert [float(each.dynamic_scale) for each in model.discriminator_optimizers] == [2.0**15] * 2
    assert [int(each.iterations) for each in model.optimizers()] == [0, 1, 1]
    model.optimizer.dynamic_scale.assign(2.0**10)
    step(batch())
    assert not all(map(np.array_equal, before[0], weights(model.generator)))


def test_in_float16_an_overflow_leaves_accumulating_optimizers_and_the_average_in_step():
    with layers_in('mixed_float16'):
        model = tree(accumulated_steps=2)
    step = tf.function(model.train_step)
    networks = (model.generator, *model.discriminators)
    scales = [2.0**100, 2.0**10, 2.0**10, 2.0**100, 2.0**10, 2.0**10]  # two steps overflow
    for number, scale in enumerate(scales):
        model.optimizer.dynamic_scale.assign(scale)
        before, average = [weights(network) for network in networks], values(model.generator_ema)
        step(batch())
        moved = [not all(map(np.array_equal, *pair)) for pair in zip(before, map(weights, networks), strict=True)]
        assert moved == [number % 2 == 1] * 3
        share = 0.1 if number % 2 else 0.0
        for was, now, generator in zip(average, values(model.generator_ema), values(model.generator), strict=True):
            np.testing.assert_allclose(now, (1 - share) * was + share * generator, atol=1e-6)
    assert [int(each.iterations) for each in model.optimizers()] == [3, 3, 3]
    assert all(np.isfinite(value).all() for network in networks for value in weights(network))


def test_scaled_gradients_are_those_of_the_loss():
    with layers_in('mixed_float16'):
        scaled = adam(0.1, [keras.Variable(tf.ones(3))])
    plain = adam(0.1, [keras.Variable(tf.ones(3))])
    for optimizer in (scaled, plain):
        scale = optimizer.scale_loss(tf.constant(1.0))
        optimizer.apply([normal(3) * scale])
    for one, other in zip(scaled.inner_optimizer.variables, plain.variables, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_rates_are_scaled_behind_a_loss_scale_too():
    with layers_in('mixed_float16'):
        model = tree(generator_rate=0.5)
    model.scale_rates(0.25)
    assert float(model.optimizer.learning_rate) == 0.125
