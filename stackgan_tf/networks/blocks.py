"""The building blocks of StackGAN-v2: up, joint, residual and down blocks.

Source: StackGAN++, section "Implementation details" (up-sampling and residual blocks) and the layer tables of the
released PyTorch code. All tensors are channels last, `[N, H, W, C]`.
"""

from typing import Any

import keras
from keras import KerasTensor

from stackgan_tf.networks.convolution_block import ConvolutionBlock, Shape, UpConv, batch_norm, gated_linear_unit
from stackgan_tf.networks.convolutions import conv
from stackgan_tf.networks.folding import fold_batch_norm


@keras.saving.register_keras_serializable('stackgan_tf')
class UpBlock(ConvolutionBlock):
    """Doubles height and width: nearest-neighbor up-sampling, 3x3 convolution, batch normalization, GLU."""

    def __init__(
        self,
        filters: int,  # C', channels after the gate
        *,
        folded: bool | None = None,  # see `UpConv`
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: Any,
    ) -> None:
        super().__init__(UpConv(2 * filters, folded=folded), activation='gated', synchronized=synchronized, **kwargs)


@keras.saving.register_keras_serializable('stackgan_tf')
class JointBlock(ConvolutionBlock):
    """Joins a vector with features: tiling, concatenation, 3x3 convolution, batch normalization, GLU.

    It is `Block3x3_relu` of the released code (which ends in a GLU) with the tiling before it.
    """

    def __init__(
        self,
        filters: int,  # C', channels after the gate
        *,
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: Any,
    ) -> None:
        super().__init__(
            conv(2 * filters, kernel_initializer='zeros'),
            activation='gated',
            synchronized=synchronized,
            late_initializer=keras.initializers.Orthogonal,
            **kwargs,
        )


@keras.saving.register_keras_serializable('stackgan_tf')
class ResidualBlock(keras.layers.Layer):
    """v2's residual block: two 3x3 convolutions, a GLU between them, no activation after the sum."""

    def __init__(
        self,
        *,
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.synchronized = synchronized

    def build(self, input_shape: Shape) -> None:
        """Builds both convolutions for the input's channels."""
        channels = input_shape[-1]
        self.first_conv, self.first_norm = conv(2 * channels), batch_norm(self.synchronized)
        self.second_conv, self.second_norm = conv(channels), batch_norm(self.synchronized)
        self.first_conv.build(input_shape)
        self.first_norm.build((*input_shape[:-1], 2 * channels))
        self.second_conv.build(input_shape)
        self.second_norm.build(input_shape)

    def call(self, x: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, H, W, C]` to the same shape."""
        h = gated_linear_unit(self.first_norm(self.first_conv(x), training=training))  # [N, H, W, C]
        h = self.second_norm(self.second_conv(h), training=training)  # [N, H, W, C]
        return x + h

    def fold_kernels(self) -> None:
        """See `folding.folded`."""
        fold_batch_norm(self.first_conv, self.first_norm)
        fold_batch_norm(self.second_conv, self.second_norm)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape


@keras.saving.register_keras_serializable('stackgan_tf')
class LeakyBlock(ConvolutionBlock):
    """The block of the discriminators: convolution, batch normalization, leaky ReLU.

    Stride 2 with a 4x4 kernel halves height and width (`downBlock` of the released code), stride 1 with a 3x3 kernel
    keeps them (`Block3x3_leakRelu`).
    """

    def __init__(
        self,
        filters: int,  # C'
        *,
        strides: int = 2,
        normalize: bool = True,  # whether there is batch normalization
        synchronized: bool = False,  # batch statistics over all replicas
        spectral_normalization: bool = False,  # of the convolution
        **kwargs: Any,
    ) -> None:
        kernel = 4 if strides == 2 else 3
        super().__init__(
            conv(filters, kernel, strides=strides, spectral_normalization=spectral_normalization),
            activation='leaky_relu',
            normalize=normalize,
            synchronized=synchronized,
            **kwargs,
        )
