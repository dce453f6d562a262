import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.conditioning_augmentation import ACTIVATIONS, ConditioningAugmentation

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
