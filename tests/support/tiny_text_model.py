"""A text-to-image model small enough to export in every test file."""

import keras
from small_models import tree_network

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.char_cnn_rnn import LENGTH, CharCNNRNN
from stackgan_tf.text.character_encoder import CharacterEncoder


def text_generator():
    """A generator of 8 and 16 pixels from captions; images of different captions differ."""
    keras.utils.set_random_seed(0)
    network = tree_network(embedding_dimension=12)
    words = CharCNNRNN(widths=(4, 4, 4), recurrence='relu', dimension=12, initial_range=0.0)
    words.build((None, LENGTH))
    words.embed.kernel.assign(30 * words.embed.kernel)  # untrained, captions hardly differ
    return NetworkGenerator(network, CharacterEncoder(words))
