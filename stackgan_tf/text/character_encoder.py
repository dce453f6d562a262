"""The char-CNN-RNN as a text encoder: characters in, embeddings out."""

import hashlib
import json

import keras
import tensorflow as tf

from stackgan_tf.networks.char_cnn_rnn import CharCNNRNN
from stackgan_tf.text.characters import caption_tokens
from stackgan_tf.text.text_encoder import TextEncoder

_READING_VERSION = 1  # of `character_tokens`; part of fingerprints. Bytes show in the shape of the first weights.


class CharacterEncoder(TextEncoder):
    """A trained char-CNN-RNN, maybe with the image tower that it was trained against.

    Args:
        network: built.
        image_encoder: built; has a `size`.
    """

    _network: CharCNNRNN
    _image_encoder: keras.Model | None

    def __init__(self, network: CharCNNRNN, image_encoder: keras.Model | None = None) -> None:
        super().__init__()
        # Keras networks stay out of TensorFlow's tracking: it would save a copy of each of their variables, and
        # a server that loads an export would restore the copies alone.
        object.__setattr__(self, '_network', network)
        object.__setattr__(self, '_image_encoder', image_encoder)
        networks = [network] if image_encoder is None else [network, image_encoder]
        self._variables = [variable.value for each in networks for variable in each.variables]
        self.dimension = network.dimension
        self.alphabet = network.alphabet
        self.fingerprint = _fingerprint(network)
        if image_encoder is not None:
            self.image_size = image_encoder.size

    def __call__(self, captions: tf.Tensor) -> tf.Tensor:
        """Embeddings of captions; see `TextEncoder`. See `characters.py` for unusual characters."""
        return self._network(caption_tokens(captions, self._network.alphabet), training=False)

    def encode_images(self, images: tf.Tensor) -> tf.Tensor:
        """Features of images; see `TextEncoder`."""
        if self._image_encoder is None:
            return super().encode_images(images)
        return self._image_encoder(images, training=False)


def _fingerprint(network: CharCNNRNN) -> str:
    """A hash of all that embeddings depend on."""
    config = {name: value for name, value in network.get_config().items() if name in ('recurrence', 'last_pool')}
    hashed = hashlib.sha256(json.dumps([_READING_VERSION, config], sort_keys=True).encode())
    for variable in network.variables:
        hashed.update(repr(tuple(variable.shape)).encode() + variable.numpy().tobytes())
    return hashed.hexdigest()[:16]
