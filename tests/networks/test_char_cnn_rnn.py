import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.char_cnn_rnn import (
    ALPHABET_SIZE,
    LENGTH,
    PUBLISHED,
    CharCNNRNN,
    GatedRecurrence,
    ReluRecurrence,
)
from stackgan_tf.networks.descriptions import build_network, describe_network


def tokens(count=2, seed=0):
    return np.random.default_rng(seed).integers(-1, ALPHABET_SIZE, (count, LENGTH)).astype('float32')


@pytest.mark.parametrize(
    ('name', 'parameters'),
    [('cvpr2016', 1_814_144), ('icml2016_flowers', 2_994_560), ('icml2016_birds_coco', 4_045_184)],
)
def test_published_networks_have_the_published_parameters(name, parameters):
    network = CharCNNRNN(**PUBLISHED[name])
    network.build((None, LENGTH))
    assert network.count_params() == parameters


@pytest.mark.parametrize(('recurrence', 'last_pool'), [('relu', True), ('gru', False)])
def test_network(recurrence, last_pool, tmp_path):
    check_layer(
        lambda: CharCNNRNN(widths=(6, 8, 8), recurrence=recurrence, last_pool=last_pool, dimension=6),
        (tokens(),),
        ((2, 6),),
        tmp_path,
    )


@pytest.mark.parametrize('layer', [ReluRecurrence, GatedRecurrence])
def test_recurrences(layer, tmp_path):
    check_layer(
        lambda: layer(4), (np.random.default_rng(0).normal(size=(2, 5, 3)).astype('float32'),), ((2, 5, 4),), tmp_path
    )


def test_relu_recurrence_against_its_formula():
    layer = ReluRecurrence(4)
    layer.build((None, 5, 3))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype('float32')
    w, a, u, b = (np.asarray(weight) for weight in layer.get_weights())
    h = np.maximum(x[:, 0] @ w + a, 0)
    expected = [h]
    for t in range(1, 5):
        h = np.maximum(x[:, t] @ w + a + h @ u + b, 0)
        expected.append(h)
    np.testing.assert_allclose(layer(x), np.stack(expected, 1), atol=1e-6)


def test_gated_recurrence_against_its_formula():
    layer = GatedRecurrence(4)
    layer.build((None, 5, 3))
    x = 5 * np.random.default_rng(0).normal(size=(2, 5, 3)).astype('float32')
    w, a, ug, bg, uc, bc = (np.asarray(weight) for weight in layer.get_weights())

    def sigmoid(value):
        return 1 / (1 + np.exp(-value))

    h = np.tanh((x[:, 0] @ w + a)[:, 8:])
    expected = [h]
    for t in range(1, 5):
        from_input = x[:, t] @ w + a
        z = sigmoid(from_input[:, :4] + (h @ ug + bg)[:, :4])
        r = sigmoid(from_input[:, 4:8] + (h @ ug + bg)[:, 4:])
        h = z * np.tanh(from_input[:, 8:] + (r * h) @ uc + bc) + (1 - z) * h
        expected.append(h)
    np.testing.assert_allclose(layer(x), np.stack(expected, 1), atol=1e-6)


def test_an_embedding_does_not_depend_on_the_batch():
    network = CharCNNRNN(widths=(16, 32, 32), recurrence='gru', last_pool=False, dimension=16)
    network.build((None, LENGTH))
    together = np.asarray(network(tokens(7)))
    alone = np.concatenate([network(tokens(7)[i : i + 1]) for i in range(7)])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_unknown_characters_have_no_features():
    network = CharCNNRNN(widths=(6, 8, 8), recurrence='relu', last_pool=True, dimension=6)
    network.build((None, LENGTH))
    padding = np.full((1, LENGTH), -1)
    assert np.isfinite(np.asarray(network(padding))).all()
    assert (np.asarray(network(padding)) != np.asarray(network(np.full((1, LENGTH), 69)))).any()


def test_unknown_recurrence_and_alphabet():
    with pytest.raises(ValueError, match="no recurrence 'lstm': there are relu, gru"):
        CharCNNRNN(recurrence='lstm')
    with pytest.raises(ValueError, match="no alphabet 'words': there are ascii, bytes"):
        CharCNNRNN(alphabet='words')


def test_a_network_over_bytes(tmp_path):
    symbols = np.random.default_rng(0).integers(-1, 256, (2, 512)).astype('float32')
    check_layer(
        lambda: CharCNNRNN(widths=(6, 8, 8), dimension=6, alphabet='bytes'),
        (symbols,),
        ((2, 6),),
        tmp_path,
    )
    network = CharCNNRNN(widths=(4, 4, 4), dimension=6, alphabet='bytes')
    network.build((None, network.length))
    described = build_network(describe_network(network), [variable.numpy() for variable in network.variables])
    np.testing.assert_allclose(described(symbols), network(symbols), rtol=0, atol=1e-6)


def test_initial_weights_are_as_released_or_glorot_uniform():
    released, narrow = (
        CharCNNRNN(widths=(6, 8, 8), dimension=6),
        CharCNNRNN(widths=(6, 8, 8), dimension=6, initial_range=0.0),
    )
    for network, limit in ((released, 0.08), (narrow, 1.0)):
        network.build((None, LENGTH))
        largest = max(np.abs(weight).max() for weight in network.get_weights())
        assert 0.9 * limit * (limit < 1) < largest <= limit
    assert not any(np.any(layer.bias) for layer in narrow.convolutions)
