import numpy as np
import pytest
import tensorflow as tf
from reed_encoders import Object, Table, checkpoint, embedding_of, encoder, parameters_of, t7

from stackgan_tf.formats.torch7 import read_t7
from stackgan_tf.released.char_cnn_rnn import char_cnn_rnn_of
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder

CAPTIONS = ['a small red bird, with a black crown - and (no) belly!', 'x' * 300, '']
KINDS = [(True, False), (False, True), (False, False)]


@pytest.fixture
def read(tmp_path):
    def read(value):
        path = tmp_path / 'encoder.t7'
        path.write_bytes(t7(value))
        return char_cnn_rnn_of(read_t7(path), 'encoder.t7')

    return read


@pytest.mark.parametrize(('gated', 'last_pool'), KINDS)
def test_embeddings_against_the_published_code(read, gated, last_pool):
    arrays = parameters_of((6, 8, 10), 7, gated)
    network = read(checkpoint(encoder(arrays, gated, last_pool)))
    assert (network.widths, network.dimension, network.last_pool) == ((6, 8, 10), 7, last_pool)
    assert network.recurrence == ('gru' if gated else 'relu')
    embeddings = CharacterEncoder(network)(tf.constant(CAPTIONS))
    expected = [embedding_of(caption, arrays, gated, last_pool) for caption in CAPTIONS]
    assert np.std(expected, axis=0).min() > 1e-3
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)


def test_an_encoder_saved_alone(read):
    arrays = parameters_of((6, 8, 10), 7, True)
    assert read(encoder(arrays, True, False)).widths == (6, 8, 10)


def test_published_birds(read):
    arrays = parameters_of((384, 512, 512), 1024, True)
    network = read(checkpoint(encoder(arrays, True, False)))
    assert network.count_params() == 4_045_184
    expected = embedding_of(CAPTIONS[0], arrays, True, False)
    np.testing.assert_allclose(CharacterEncoder(network)(tf.constant(CAPTIONS[:1]))[0], expected, atol=1e-4)


def unlike(arrays, name, value):
    return {**arrays, name: value.astype('f4')}


def with_another_step(module):
    """Gives one of the steps its own bias."""

    def fields(value, *names):
        for name in names:
            value = dict(value.fields.items if isinstance(value, Object) else value.items)[name]
        return value

    (recurrence,) = [each for _, each in fields(module, 'modules').items if each.class_name == 'nn.gModule']
    *_, step = [each for _, each in fields(recurrence, 'modules').items if each.class_name == 'nn.Sequential']
    fields(step, 'modules', 1, 'bias').offset -= 1
    return module


def test_other_networks_are_refused(read):
    arrays = parameters_of((6, 8, 10), 7, True)
    rectified = parameters_of((6, 8, 10), 7, False)
    image_model = Object('nn.Sequential', modules=Table())
    for value, reason in (
        (image_model, r'it has nn\.Sequential in place of nn\.gModule'),
        (Table(a=1), 'its modules are different'),
        (Table(protos=Table(enc_doc=3.0)), r'it has a float in place of nn\.gModule'),
        (encoder(arrays, True, False, steps=17), 'its recurrence does not return the mean over 18 states'),
        (encoder(rectified, False, True, mean=False), 'its recurrence does not return the mean over 8 states'),
        (encoder(unlike(arrays, 'conv0.weight', np.zeros((6, 4 * 69))), True, False), 'a convolution of the shapes'),
        (encoder(unlike(arrays, 'embed.weight', np.zeros((7, 9))), True, False), 'do not all read 10 numbers'),
        (encoder(unlike(arrays, 'input_reset.weight', np.zeros((9, 10))), True, False), 'a linear layer of the shapes'),
        (with_another_step(encoder(rectified, False, True)), 'the steps of its recurrence do not share 2 layers'),
        (with_another_step(encoder(arrays, True, False)), 'the steps of its recurrence do not share 6 layers'),
    ):
        with pytest.raises(UserError, match=rf'encoder\.t7 holds no char-CNN-RNN as published: .*{reason}'):
            read(value)
