import keras
import numpy as np
from layer_harness import check_layer

from stackgan_tf.networks.attribute_classifier import AttributeClassifierNetwork


def images(size):
    return np.random.default_rng(0).uniform(-1, 1, (2, size, size, 3)).astype('float32')


def test_network(tmp_path):
    check_layer(
        lambda: AttributeClassifierNetwork(size=8, choices=(3, 2, 4), width=4),
        (images(8),),
        ((2, 3), (2, 2), (2, 4)),
        tmp_path,
    )


def test_logits_are_the_features_in_order():
    network = AttributeClassifierNetwork(size=16, choices=(3, 2), width=4)
    network.build((None, 16, 16, 3))
    np.testing.assert_array_equal(np.concatenate(network(images(16)), axis=1), network.encoder(images(16)))


def test_probabilities_are_float32_under_a_mixed_policy():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy('mixed_bfloat16')
    try:
        network = AttributeClassifierNetwork(size=8, choices=(3, 2), width=4)
        network.build((None, 8, 8, 3))
    finally:
        keras.config.set_dtype_policy(before)
    _, probabilities = network.extract(images(8))
    np.testing.assert_allclose(np.sum(probabilities, axis=1), 1, atol=1e-6)
