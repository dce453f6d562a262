"""A text-to-image model small enough to export in every test file."""

import keras

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.char_cnn_rnn import LENGTH, CharCNNRNN
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.text.character_encoder import CharacterEncoder


def text_generator():
    """A generator of 8 and 16 pixels from captions; images of different captions differ."""
    keras.utils.set_random_seed(0)
    network = TreeGenerator(
        sizes=(8, 16),
        noise_dimension=5,
        generator_width=8,
        residual_blocks=1,
        embedding_dimension=12,
        condition_dimension=3,
    )
    network.build((None, 5))
    words = CharCNNRNN(widths=(4, 4, 4), recurrence='relu', dimension=12, initial_range=0.0)
    words.build((None, LENGTH))
    words.embed.kernel.assign(30 * words.embed.kernel)  # untrained, captions hardly differ
    return NetworkGenerator(network, CharacterEncoder(words))
