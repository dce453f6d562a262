"""A text encoder as a SavedModel that runs without this package."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from stackgan_tf.saved_models.saved_model import write_saved_model
from stackgan_tf.text.text_encoder import TextEncoder


class TextEncoderModule(tf.__internal__.tracking.AutoTrackable):
    """The object inside the SavedModel.

    Called with captions, string `[N]`, it returns embeddings, float32 `[N, T]`. `encode_images` exists if the encoder
    was trained with images. `fingerprint()`, `image_size()` (0 without images) and `alphabet()` (where known) are
    functions, because plain attributes are not saved.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self._encoder = encoder
        fingerprint, image_size = encoder.fingerprint, encoder.image_size or 0
        caption = tf.TensorSpec((None,), tf.string, name='caption')
        self.__call__ = tf.function(encoder.__call__, input_signature=[caption])
        self.fingerprint = tf.function(lambda: tf.constant(fingerprint), input_signature=[])
        self.image_size = tf.function(lambda: tf.constant(image_size), input_signature=[])
        if alphabet := encoder.alphabet:
            self.alphabet = tf.function(lambda: tf.constant(alphabet), input_signature=[])
        embed = tf.function(lambda caption: {'embedding': encoder(caption)}, input_signature=[caption])
        self.signatures_by_name = {'serving_default': embed, 'embed': embed}
        if image_size:
            image = tf.TensorSpec((None, image_size, image_size, 3), tf.float32, name='image')
            self.encode_images = tf.function(encoder.encode_images, input_signature=[image])
            self.signatures_by_name['embed_images'] = tf.function(
                lambda image: {'embedding': encoder.encode_images(image)}, input_signature=[image]
            )


def export_text_encoder(encoder: TextEncoder, target: Path, check: Callable[[Path], None] | None = None) -> None:
    """Writes a text encoder as a SavedModel; the folder appears only when it is complete and passes `check`.

    Raises:
        UserError: the folder exists.
    """
    write_saved_model(TextEncoderModule(encoder), target, check)
