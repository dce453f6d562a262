import keras
import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.networks.char_cnn_rnn import LENGTH, CharCNNRNN
from stackgan_tf.networks.image_encoder import ImageEncoder
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder

RIGHT_TO_LEFT = '\u05e6\u05d9\u05e4\u05d5\u05e8'
ODD = ['', 'x' * 100_000, 'A RED BIRD', 'caf\u00e9', '\U0001f426 bird', 'nul \x00', RIGHT_TO_LEFT, b'\xff\xfe']


def network(seed=0, recurrence='relu', **settings):
    keras.utils.set_random_seed(seed)
    made = CharCNNRNN(widths=(16, 16, 16), recurrence=recurrence, dimension=12, initial_range=0.0, **settings)
    made.build((None, LENGTH))
    return made


def embed(encoder, captions):
    return tf.function(encoder.__call__, reduce_retracing=True)(tf.constant(captions)).numpy()


def test_odd_captions_have_embeddings_like_any_other():
    encoder = CharacterEncoder(network())
    vectors = embed(encoder, [*ODD, 'a red bird'])
    assert vectors.shape == (len(ODD) + 1, encoder.dimension)
    assert np.isfinite(vectors).all()
    # Upper case is read as lower case. Two rows of one batch may differ in the last bits: kernels split a batch.
    np.testing.assert_allclose(vectors[2], vectors[-1], rtol=0, atol=1e-6)


@pytest.mark.parametrize('recurrence', ['relu', 'gru'])
def test_a_caption_has_one_embedding_alone_and_in_any_batch(recurrence):
    encoder = CharacterEncoder(network(recurrence=recurrence))
    captions = [f'a bird with {number} feathers' for number in range(150)] + ODD
    together = embed(encoder, captions)
    for row in (0, 17, 149, 151):
        np.testing.assert_allclose(embed(encoder, [captions[row]])[0], together[row], rtol=0, atol=1e-6)
    np.testing.assert_allclose(embed(encoder, captions[::-1])[::-1], together, rtol=0, atol=1e-6)


def test_a_fingerprint_is_of_the_weights_and_of_how_they_are_used():
    assert CharacterEncoder(network()).fingerprint == CharacterEncoder(network()).fingerprint
    others = [network(1), network(recurrence='gru'), network(last_pool=True)]
    assert len({CharacterEncoder(each).fingerprint for each in [network(), *others]}) == 4


def test_images_are_encoded_by_the_tower_of_its_training():
    tower = ImageEncoder(size=8, width=4, dimension=12)
    tower.build((None, 8, 8, 3))
    encoder = CharacterEncoder(network(), tower)
    assert encoder.image_size == 8
    assert encoder.encode_images(tf.zeros((5, 8, 8, 3))).shape == (5, 12)
    with pytest.raises(UserError, match='not trained with images'):
        CharacterEncoder(network()).encode_images(tf.zeros((5, 8, 8, 3)))
