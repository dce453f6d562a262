"""Classifier of an image's attributes, such as the color of each part of a bird."""

from collections.abc import Sequence
from itertools import accumulate

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.convolution_block import Shape
from stackgan_tf.networks.image_encoder import ImageEncoder
from stackgan_tf.networks.network import Network


@keras.saving.register_keras_serializable('stackgan_tf')
class AttributeClassifierNetwork(Network):
    """An image encoder whose outputs are the logits of every choice of every attribute."""

    each_channel = False  # see `ChannelClassifierNetwork`

    def __init__(
        self,
        *,
        size: int,  # s, pixels
        choices: Sequence[int],  # K_a, the number of choices of each attribute
        width: int = 16,  # channels after the first convolution
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.choices = tuple(choices)
        self.encoder = ImageEncoder(
            size=size,
            width=width,
            dimension=sum(self.choices),
            synchronized=synchronized,
        )

    def build(self, input_shape: Shape) -> None:
        """Builds the encoder for `[N, s, s, 3]`."""
        self.encoder.build(input_shape)

    def call(self, image: KerasTensor, training: bool = False) -> tuple[KerasTensor, ...]:
        """Maps images `[N, s, s, 3]` in [-1, 1] to logits, float32 `[N, K_a]` for each attribute."""
        logits = self.encoder(image, training=training)  # [N, sum of K_a]
        return self._split(logits)

    def extract(self, image: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """The outputs of a feature extractor, for images `[N, s, s, 3]` in [-1, 1].

        Returns:
            Features, the input of the last layer, float32 `[N, F]`, and the probability of every combination of
            attributes, float32 `[N, C]`, C the product of all K_a: attributes count as independent.
        """
        features = self.encoder.last_map(image)
        logits = ops.cast(self.encoder.embed(features), 'float32')
        return ops.cast(features, 'float32'), joint_probabilities(self._split(logits))

    def _split(self, logits: KerasTensor) -> tuple[KerasTensor, ...]:
        return tuple(ops.split(logits, list(accumulate(self.choices))[:-1], axis=-1))


def joint_probabilities(logits: Sequence[KerasTensor]) -> KerasTensor:
    """The probability of every combination of independent attributes: `[N, C]`, C the product of all K_a.

    Args:
        logits: `[N, K_a]` of each attribute.
    """
    probabilities = [ops.softmax(of_attribute) for of_attribute in logits]
    joint = probabilities[0]
    for attribute in probabilities[1:]:
        combinations = joint[:, :, None] * attribute[:, None, :]
        joint = ops.reshape(combinations, (-1, joint.shape[1] * attribute.shape[1]))
    return joint
