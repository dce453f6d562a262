import numpy as np
from layer_harness import check_layer

from stackgan_tf.networks.channel_classifier import ChannelClassifierNetwork

IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype('float32')


def make():
    return ChannelClassifierNetwork(size=8, choices=4, width=4)


def test_network(tmp_path):
    check_layer(make, (IMAGES,), ((2, 4),) * 3, tmp_path)


def test_each_channel_is_read_by_itself():
    network = make()
    network.build((None, 8, 8, 3))
    logits = np.stack(network(IMAGES))
    np.testing.assert_allclose(np.stack(network(IMAGES[..., ::-1])), logits[::-1], atol=1e-6)
    changed = IMAGES.copy()
    changed[..., 1] = 0
    others = np.stack(network(changed))
    np.testing.assert_allclose(others[[0, 2]], logits[[0, 2]], atol=1e-6)
    assert np.abs(others[1] - logits[1]).max() > 1e-4


def test_features_of_all_channels_and_the_probability_of_every_combination():
    network = make()
    network.build((None, 8, 8, 3))
    features, joint = (np.array(output) for output in network.extract(IMAGES))
    of_each = [np.array(network.encoder.last_map(IMAGES[..., channel, None])) for channel in range(3)]
    np.testing.assert_allclose(features, np.concatenate(of_each, axis=1), atol=1e-6)
    r, g, b = (np.exp(each) / np.exp(each).sum(1, keepdims=True) for each in map(np.array, network(IMAGES)))
    np.testing.assert_allclose(joint, np.einsum('ni,nj,nk->nijk', r, g, b).reshape(2, -1), atol=1e-6)
