"""The building blocks of StackGAN-v1, initialized as in its released code.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v1", "Implementation details", and the layers of the released
code. All tensors are channels last, `[N, H, W, C]`.
"""

from typing import Any

import keras
from keras import KerasTensor

from stackgan_tf.networks.convolution_block import ConvolutionBlock, Shape, UpConv, activate
from stackgan_tf.networks.convolutions import conv
from stackgan_tf.networks.scales import check_sizes
from stackgan_tf.networks.tree_generator import NARROWEST_BRANCH

ACTIVATIONS = ('linear', 'relu', 'leaky_relu', 'tanh')
DEVIATION = 0.02  # of every initial kernel


def truncated_normal() -> keras.initializers.Initializer:
    """The initializer of v1's convolutions."""
    return keras.initializers.TruncatedNormal(stddev=DEVIATION)


def normal() -> keras.initializers.Initializer:
    """The initializer of v1's dense layers."""
    return keras.initializers.RandomNormal(stddev=DEVIATION)


def stage_conv(filters: int, kernel: int = 3, *, strides: int = 1, use_bias: bool = False) -> keras.layers.Conv2D:
    """A convolution whose kernel starts truncated normal, without a bias by default."""
    return conv(filters, kernel, strides=strides, use_bias=use_bias, kernel_initializer=truncated_normal())


def stage_dense(units: int, *, use_bias: bool = True) -> keras.layers.Dense:
    """A dense layer whose kernel starts normal, its bias at zero."""
    return keras.layers.Dense(units, use_bias=use_bias, kernel_initializer=normal())


def doublings_between(small: int, size: int) -> int:
    """How many doublings lead from a map of `small` pixels to `size` pixels.

    Raises:
        ValueError: no number of doublings does, or `size` is not a size that a model may have.
    """
    check_sizes((size,))
    if not 0 < small < size or size % small:
        raise ValueError(f'a map of {small} does not double to {size} pixels: take a power of two under {size}')
    return (size // small).bit_length() - 1


def scaled_width(generator_width: int, doublings: int) -> int:
    """`generator_width * 2**doublings`; as in the tree, halving stops at 8 channels, or at a narrower base."""
    if doublings >= 0:
        return generator_width << doublings
    return max(generator_width >> -doublings, min(generator_width, NARROWEST_BRANCH))


@keras.saving.register_keras_serializable('stackgan_tf')
class StageBlock(ConvolutionBlock):
    """v1's block: convolution, batch normalization, activation; it keeps, halves or doubles height and width."""

    def __init__(
        self,
        filters: int,  # C'
        *,
        kernel: int = 3,
        strides: int = 1,  # 2: halves height and width
        up: bool = False,  # doubles them, with a kernel of 3
        activation: str = 'relu',  # one of `ACTIVATIONS`
        normalize: bool = True,  # whether there is batch normalization
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: Any,
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ValueError(f'no activation {activation!r}: there are {", ".join(ACTIVATIONS)}')
        super().__init__(
            UpConv(filters) if up else stage_conv(filters, kernel, strides=strides),
            activation=activation,
            normalize=normalize,
            synchronized=synchronized,
            unbiased=False,
            vector_first=False,
            late_initializer=truncated_normal if up else None,
            **kwargs,
        )


@keras.saving.register_keras_serializable('stackgan_tf')
class StageResidualBlock(keras.layers.Layer):
    """v1's residual block, with an activation after the sum: two 3x3 convolutions, or a bottleneck.

    The bottleneck, in Stage-I's generator and in both discriminators, has a 1x1 and a 3x3 convolution at a quarter of
    the width and a 3x3 convolution back to it. Stage-II's generator has the plain form.
    """

    def __init__(
        self,
        *,
        bottleneck: bool = False,
        activation: str = 'relu',  # one of `ACTIVATIONS`
        normalize: bool = True,  # whether there is batch normalization
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.bottleneck = bottleneck
        self.activation = activation
        self.normalize = normalize
        self.synchronized = synchronized

    def build(self, input_shape: Shape) -> None:
        """Builds the convolutions for the input's channels."""
        channels = input_shape[-1]
        quarter = max(channels // 4, 1)
        inner = [(quarter, 1), (quarter, 3)] if self.bottleneck else [(channels, 3)]
        common = {'normalize': self.normalize, 'synchronized': self.synchronized}
        self.blocks = [
            StageBlock(width, kernel=kernel, activation=self.activation, **common) for width, kernel in inner
        ]
        self.blocks.append(StageBlock(channels, activation='linear', **common))
        shape = input_shape
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def call(self, x: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, H, W, C]` to the same shape."""
        h = x
        for block in self.blocks:
            h = block(h, training=training)
        return activate(x + h, self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape
