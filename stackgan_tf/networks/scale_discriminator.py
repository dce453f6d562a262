"""StackGAN-v2's discriminators: one network per scale of the tree (StackGAN++, figure 2, the D_i).

With a condition they have two heads: is the image real, and does it match the condition ("Joint conditional and
unconditional distribution approximation").
"""

from typing import Any

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import LeakyBlock
from stackgan_tf.networks.conditional_discriminator import ConditionalDiscriminator
from stackgan_tf.networks.convolution_block import LEAKY_SLOPE, Shape
from stackgan_tf.networks.convolutions import conv
from stackgan_tf.networks.scales import SEED_SIZE, check_sizes, doublings
from stackgan_tf.networks.spectral_normalization import SpectralConv2D

# The features at 4x4 are reduced to at most this many times `width` channels.
FEATURE_MULTIPLE = 8


@keras.saving.register_keras_serializable('stackgan_tf')
class ScaleDiscriminator(ConditionalDiscriminator):
    """D_i: separates real images of one scale from generated ones.

    log2(size / 4) convolutions of stride 2 bring the image to 4x4, doubling the width each time; below 64 pixels they
    start wider, so that the last has at least `8 * width` channels; 3x3 convolutions reduce more to that;
    one 4x4 convolution makes the logit. With a condition, a second logit is computed from the features joined with it.
    At a width of 64 the networks for 64, 128 and 256 pixels are the released ones: 2,765,569, 15,875,841 and 68,310,785
    parameters; with a condition of 128 numbers 5,723,906, 18,834,178 and 71,269,122.
    """

    def __init__(
        self,
        *,
        size: int,  # s, pixels
        width: int = 64,  # channels after the first convolution from 64 pixels on (DF_DIM)
        normalization: bool = True,  # batch normalization, as in the paper
        synchronized: bool = False,  # batch statistics over all replicas
        condition_dimension: int = 0,  # E, of the condition; 0: unconditional
        projection: int = 0,  # units of a dense layer that projects the condition, as in the paper's v1; 0: none
        unconditional: bool = True,  # whether there is a logit of the image alone
        spectral_normalization: bool = False,  # spectral normalization of every convolution, not in the paper
        inner_product: bool = False,  # whether an inner product of condition and features is added, not in the paper
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        check_sizes((size,))
        self.size = size
        self.width = width
        self.normalization = normalization
        self.condition_dimension = condition_dimension
        self.projection = projection
        self.unconditional = unconditional
        self.spectral_normalization = spectral_normalization
        self.inner_product = inner_product
        features = width * FEATURE_MULTIPLE
        steps = doublings(size)
        first, *down = [max(width << i, features >> (steps - 1 - i)) for i in range(steps)]
        across = [channels // 2 for channels in reversed(down) if channels > features]
        common: dict[str, Any] = {
            'normalize': normalization,
            'synchronized': synchronized,
            'spectral_normalization': spectral_normalization,
        }
        self.first = conv(first, 4, strides=2, spectral_normalization=spectral_normalization)
        self.down = [LeakyBlock(channels, **common) for channels in down]
        self.across = [LeakyBlock(channels, strides=1, **common) for channels in across]
        if unconditional:
            self.logit = _logit(spectral_normalization)
        if condition_dimension:
            self.project = keras.layers.Dense(projection) if projection else None
            self.joint = LeakyBlock(features, strides=1, **common)
            self.conditional_logit = _logit(spectral_normalization)
            units = SEED_SIZE * SEED_SIZE * features
            self.expected = keras.layers.Dense(units, use_bias=False) if inner_product else None

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds every layer for `[N, s, s, 3]`."""
        shape = input_shape
        for layer in (self.first, *self.down, *self.across):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.build_heads(shape)

    def features(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps an image `[N, s, s, 3]` in [-1, 1] to features `[N, 4, 4, C]`, C = 8 * width."""
        if training and self.spectral_normalization:
            for convolution in self._convolutions():
                convolution.iterate()
        h = ops.leaky_relu(self.first(image), LEAKY_SLOPE)  # [N, s/2, s/2, width]
        for block in (*self.down, *self.across):
            h = block(h, training=training)
        return h

    def _convolutions(self) -> list[keras.layers.Conv2D]:
        heads = [self.logit] if self.unconditional else []
        heads += [self.joint.conv, self.conditional_logit] if self.condition_dimension else []
        return [self.first, *(block.conv for block in (*self.down, *self.across)), *heads]


def _logit(spectral_normalization: bool) -> keras.layers.Conv2D:
    layer = SpectralConv2D if spectral_normalization else keras.layers.Conv2D
    return layer(1, SEED_SIZE, kernel_initializer=keras.initializers.Orthogonal())
