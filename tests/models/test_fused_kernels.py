import keras
import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.models.fused_kernels import FusedAdam, move_towards, normalize_batch
from stackgan_tf.networks.batch_normalization import BatchNormalization


def normal(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(2.0, 3.0, shape).astype('float32'))


@pytest.mark.parametrize('unbiased', [False, True])
@pytest.mark.parametrize('shape', [(4, 8, 8, 5), (1, 1, 1, 5), (6, 1, 1, 5)])
def test_batch_normalization_equals_keras_in_value_gradient_and_moving_statistics(shape, unbiased):
    x = normal(*shape)
    results = []
    for layer, fused in (
        (keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5), None),
        (BatchNormalization(unbiased, momentum=0.9, epsilon=1e-5), None),
        (BatchNormalization(unbiased, momentum=0.9, epsilon=1e-5), normalize_batch),
    ):
        layer.build(x.shape)
        layer.gamma.assign(np.arange(1, 6))
        layer.fused = fused
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * normal(*shape, seed=1))
        gradients = tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])
        values = shape[0] * shape[1] * shape[2]
        if unbiased and not isinstance(layer, BatchNormalization):
            layer.moving_variance.assign(0.9 + (layer.moving_variance - 0.9) * values / max(values - 1, 1))
        results.append([y, *gradients, layer.moving_mean, layer.moving_variance, layer(x, training=False)])
    for result in results[1:]:
        for one, other in zip(results[0], result, strict=True):
            np.testing.assert_allclose(one, other, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize('shape', [(24, 5), (4, 3, 3, 5)])
@pytest.mark.parametrize('unbiased', [False, True])
def test_the_moving_variance_is_unbiased_on_request(unbiased, shape):
    x = normal(*shape)
    layer = BatchNormalization(unbiased, momentum=0.0)
    layer.build(shape)
    layer.fused = normalize_batch
    layer(x, training=True)
    expected = np.var(np.reshape(x, (-1, 5)), axis=0, ddof=int(unbiased))
    np.testing.assert_allclose(layer.moving_variance, expected, rtol=1e-5)


def test_it_reads_bfloat16_and_keeps_its_statistics_in_float32():
    x = normal(4, 8, 8, 5)
    layer = BatchNormalization(dtype='mixed_bfloat16')
    layer.build(x.shape)
    layer.fused = normalize_batch
    y = layer(x, training=True)
    assert y.dtype == tf.bfloat16
    np.testing.assert_allclose(layer.moving_mean, 0.01 * np.mean(x, (0, 1, 2)), rtol=0.02)
    np.testing.assert_allclose(tf.math.reduce_std(tf.cast(y, tf.float32), (0, 1, 2)), 1, atol=0.01)


def test_adam_equals_keras():
    gradients = [normal(3, 4, seed=seed) for seed in range(5)]
    weights, states = [], []
    for kind in (keras.optimizers.Adam, FusedAdam):
        variable = keras.Variable(normal(3, 4, seed=9))
        optimizer = kind(0.1, beta_1=0.5, epsilon=1e-8)
        optimizer.build([variable])
        step = tf.function(lambda gradient: optimizer.apply([gradient]))  # noqa: B023
        for gradient in gradients:
            step(gradient)
        weights.append(variable.numpy())
        states.append([v.numpy() for v in optimizer.variables])
    np.testing.assert_allclose(*weights, atol=1e-5, rtol=1e-5)
    for one, other in zip(*states, strict=True):
        np.testing.assert_allclose(one, other, rtol=3e-5)  # 1 - beta_2 rounded to float32 is 1.3e-5 off


def test_an_average_moves_by_a_share_of_the_distance():
    average = tf.Variable([1.0, 2.0])
    move_towards(average, tf.constant([3.0, 0.0]), tf.constant(0.25))
    np.testing.assert_allclose(average, [1.5, 1.5])
