"""The heads of the discriminators: is the image real, and does it match its condition?

Source: StackGAN++ (arXiv 1710.10916), "Joint conditional and unconditional distribution approximation", and for v1
"Matching-aware discriminator".
"""

import abc
from typing import Any

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.convolution_block import LEAKY_SLOPE, ConvolutionBlock, Shape
from stackgan_tf.networks.network import Network


class ConditionalDiscriminator(Network):
    """A discriminator with an unconditional head, a conditional one, or both. Subclasses compute the features.

    Attributes:
        condition_dimension: E, of the condition; 0: there is no conditional head.
        unconditional: whether there is an unconditional head.
        logit: the unconditional head.
        project: the layer that projects the condition, if any.
        joint: the block that joins condition and features.
        conditional_logit: the conditional head.
        expected: the layer whose output the features are multiplied with, if there is an inner product.
    """

    condition_dimension: int
    unconditional: bool
    logit: keras.layers.Conv2D
    project: keras.layers.Dense | None
    joint: ConvolutionBlock
    conditional_logit: keras.layers.Conv2D
    expected: keras.layers.Dense | None

    @abc.abstractmethod
    def features(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps an image `[N, s, s, 3]` in [-1, 1] to features `[N, m, m, C]`."""

    def build_heads(self, features_shape: Shape) -> None:
        """Builds the heads for features `[N, m, m, C]`."""
        if self.unconditional:
            self.logit.build(features_shape)
        if self.condition_dimension:
            condition = (None, self.condition_dimension)
            if self.project is not None:
                self.project.build(condition)
                condition = (None, self.project.units)
            self.joint.build(features_shape, condition)
            self.conditional_logit.build(features_shape)
            if self.expected is not None:
                self.expected.build(condition)

    def unconditional_logits(self, features: KerasTensor) -> KerasTensor:
        """Maps `features` to a logit `[N]`, positive for real, in float32; only if `unconditional`."""
        return ops.cast(self.logit(features)[:, 0, 0, 0], 'float32')

    def conditional_logits(self, features: KerasTensor, condition: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `features` and conditions `[N, E]` to a logit `[N]`, positive for real and matching, in float32.

        The inner product is that of the projection discriminator (Miyato and Koyama, arXiv 1802.05637), here with all
        features and not with their sum over places, divided by the square root of their number.
        """
        condition = condition if self.project is None else ops.leaky_relu(self.project(condition), LEAKY_SLOPE)
        # `call`: outside of Keras's autocast, spectral normalization divides the kernel in float32. And under another
        # name scope, TensorFlow adds the gradients of several passes in another order.
        h = self.joint.call(features, condition, training=training)  # [N, m, m, C]
        logit = ops.cast(self.conditional_logit(h)[:, 0, 0, 0], 'float32')
        if self.expected is None:
            return logit
        found, expected = (ops.cast(each, 'float32') for each in (features, self.expected(condition)))
        found = ops.reshape(found, (-1, self.expected.units))
        return logit + ops.sum(found * expected, axis=1) / self.expected.units**0.5

    def call(self, image: KerasTensor, condition: KerasTensor | None = None, training: bool = False) -> Any:
        """Maps images `[N, s, s, 3]` in [-1, 1], and conditions `[N, E]`, to conditional and unconditional logits.

        Returns:
            The logits `[N]` of the only head, or a pair of both, the conditional ones first.
        """
        h = self.features(image, training=training)  # [N, m, m, C]
        conditional_logits = [] if condition is None else [self.conditional_logits(h, condition, training=training)]
        logits = [*conditional_logits, self.unconditional_logits(h)] if self.unconditional else conditional_logits
        return logits[0] if len(logits) == 1 else tuple(logits)

    def compute_output_shape(self, input_shape: Shape, condition_shape: Shape | None = None) -> Any:
        """`[N]`, or twice that for two heads."""
        heads = (condition_shape is not None) + self.unconditional
        return (input_shape[0],) if heads == 1 else ((input_shape[0],),) * heads
