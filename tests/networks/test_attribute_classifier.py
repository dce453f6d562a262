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
