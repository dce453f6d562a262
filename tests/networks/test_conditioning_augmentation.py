import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from layer_harness import check_layer

from stackgan_tf.losses.conditioning import kl_loss
from stackgan_tf.networks.conditioning_augmentation import ACTIVATIONS, MOST_LOG_VARIANCE, ConditioningAugmentation

RNG = np.random.default_rng(0)
EMBEDDING = RNG.normal(size=(4, 6)).astype('float32')
NOISE = RNG.normal(size=(4, 3)).astype('float32')


def built(activation):
    layer = ConditioningAugmentation(3, activation=activation)
    layer.build(EMBEDDING.shape)
    return layer


@pytest.mark.parametrize('activation', ACTIVATIONS)
def test_layer(activation, tmp_path):
    check_layer(lambda: ConditioningAugmentation(3, activation=activation), (EMBEDDING, NOISE), ((4, 3),) * 3, tmp_path)


@pytest.mark.parametrize(('activation', 'parameters'), [('gated', 524_800), ('leaky_relu', 262_400), ('relu', 262_400)])
def test_released_parameters(activation, parameters):
    layer = ConditioningAugmentation(128, activation=activation)
    layer.build((None, 1024))
    assert layer.count_params() == parameters


def test_each_activation_against_its_formula():
    def linear(layer):
        return EMBEDDING @ layer.dense.kernel.numpy() + layer.dense.bias.numpy()

    for activation in ACTIVATIONS:
        layer = built(activation)
        c, mu, log_variance = (value.numpy() for value in layer(EMBEDDING, NOISE))
        h = linear(layer)
        if activation == 'gated':
            h = h[:, :6] / (1 + np.exp(-h[:, 6:]))
        if activation == 'leaky_relu':
            h = np.where(h > 0, h, 0.2 * h)
        if activation == 'relu':
            h = np.maximum(h, 0)
        # The second half is log sigma in the released v1 of birds and flowers, log sigma squared in the others.
        sigma = np.exp(h[:, 3:] if activation == 'leaky_relu' else h[:, 3:] / 2)
        np.testing.assert_allclose(mu, h[:, :3], atol=1e-5)
        np.testing.assert_allclose(np.exp(log_variance / 2), sigma, rtol=1e-4)
        np.testing.assert_allclose(c, h[:, :3] + sigma * NOISE, atol=1e-4)


def test_unknown_activation():
    with pytest.raises(ValueError, match="no activation 'tanh'"):
        ConditioningAugmentation(3, activation='tanh')


@pytest.mark.parametrize('activation', ACTIVATIONS)
def test_the_bound_on_sigma_changes_nothing_that_training_draws(activation):
    keras.utils.set_random_seed(0)
    layer = built(activation)
    noise, embedding = ops.convert_to_tensor(NOISE), tf.constant(5.0 * EMBEDDING)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(embedding)
        c, mu, log_variance = layer(embedding, noise)
        plain = mu + ops.exp(0.5 * log_variance) * noise
    assert 2.0 < float(ops.max(log_variance)) < MOST_LOG_VARIANCE
    np.testing.assert_array_equal(c, plain)
    for inputs in (embedding, layer.dense.kernel.value):
        np.testing.assert_array_equal(tape.gradient(c, inputs), tape.gradient(plain, inputs))


@pytest.mark.parametrize('precision', ['float32', 'mixed_float16', 'mixed_bfloat16'])
def test_embeddings_unlike_those_of_training_give_finite_draws(precision):
    keras.config.set_dtype_policy(precision)
    try:
        layer = built('linear')
    finally:
        keras.config.set_dtype_policy('float32')
    layer.dense.kernel.assign(np.ones((6, 6)))
    for epsilon in (0.0, 6.0, -6.0):
        c, _, log_variance = layer(np.full((2, 6), 50.0, np.float32), np.full((2, 3), epsilon, np.float32))
        assert float(log_variance[0, 0]) == 300.0
        assert np.isfinite(ops.convert_to_numpy(ops.cast(c, 'float32'))).all()


def test_a_log_variance_above_the_bound_is_still_pulled_back():
    layer = built('linear')
    layer.dense.kernel.assign(np.ones((6, 6)))
    with tf.GradientTape() as tape:
        _, mu, log_variance = layer(np.full((2, 6), 3.0, np.float32), np.zeros((2, 3), np.float32))
        loss = kl_loss(mu, log_variance)
    assert float(log_variance[0, 0]) == 18.0 > MOST_LOG_VARIANCE
    assert (tape.gradient(loss, layer.dense.kernel.value).numpy()[:, 3:] > 1e6).all()
