"""Classifier that reads each color channel of an image by itself, such as the digits of Stacked MNIST."""

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.attribute_classifier import joint_probabilities
from stackgan_tf.networks.convolution_block import Shape
from stackgan_tf.networks.image_encoder import ImageEncoder
from stackgan_tf.networks.network import Network

CHANNELS = 3


@keras.saving.register_keras_serializable('stackgan_tf')
class ChannelClassifierNetwork(Network):
    """One image encoder of gray images, whose outputs are the logits of what a channel shows."""

    each_channel = True

    def __init__(
        self,
        *,
        size: int,  # s, pixels
        choices: int,  # K, what a channel may show
        width: int = 16,  # channels after the first convolution
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.choices = (choices,) * CHANNELS
        self.encoder = ImageEncoder(size=size, width=width, dimension=choices, synchronized=synchronized)

    def build(self, input_shape: Shape) -> None:
        """Builds the encoder for gray images `[3 * N, s, s, 1]`."""
        self.encoder.build((None, *input_shape[1:3], 1))

    def call(self, image: KerasTensor, training: bool = False) -> tuple[KerasTensor, ...]:
        """Maps images `[N, s, s, 3]` in [-1, 1] to logits, float32 `[N, K]` for each channel."""
        return tuple(ops.split(self.encoder(_gray(image), training=training), CHANNELS, axis=0))

    def extract(self, image: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """The outputs of a feature extractor, for images `[N, s, s, 3]` in [-1, 1].

        Returns:
            Features, the inputs of the last layer for all channels, float32 `[N, 3 * F]`, and the probability of every
            combination, float32 `[N, K * K * K]`.
        """
        features = self.encoder.last_map(_gray(image))
        logits = ops.split(ops.cast(self.encoder.embed(features), 'float32'), CHANNELS, axis=0)
        joined = ops.concatenate(ops.split(features, CHANNELS, axis=0), axis=1)
        return ops.cast(joined, 'float32'), joint_probabilities(logits)


def _gray(image: KerasTensor) -> KerasTensor:
    """The channels of images `[N, s, s, 3]` as gray images: `[3 * N, s, s, 1]`, all first channels first."""
    return ops.concatenate(ops.split(image, CHANNELS, axis=-1), axis=0)
