"""The interface of text encoders: trained, exported, CLIP, and modules of TF Hub."""

import abc

import tensorflow as tf

from stackgan_tf.system.errors import UserError


class TextEncoder(tf.__internal__.tracking.AutoTrackable, abc.ABC):
    """phi, the text encoder. It reads strings in the graph, so it can sit inside an exported model.

    Attributes:
        dimension: T, of embeddings.
        fingerprint: the same for two encoders only if they give the same embeddings.
        alphabet: what it reads of captions, one of `ALPHABETS`; None if that is not known.
        image_size: s, of the images that `encode_images` takes; None if it was not trained with images.
    """

    dimension: int
    fingerprint: str
    alphabet: str | None = None
    image_size: int | None = None

    @abc.abstractmethod
    def __call__(self, captions: tf.Tensor) -> tf.Tensor:
        """Embeddings of captions: string `[N]` to float32 `[N, T]`. Rows do not depend on each other."""

    def encode_images(self, images: tf.Tensor) -> tf.Tensor:
        """Features that score with captions by their dot product: float32 `[N, s, s, 3]` in [-1, 1] to `[N, T]`.

        Raises:
            UserError: it was not trained with images.
        """
        raise UserError('this text encoder was not trained with images: it cannot read them')
