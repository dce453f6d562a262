"""The building blocks of both StackGANs: gated linear unit, up, joint, residual and down blocks.

Source: StackGAN++, section "Implementation details" (up-sampling and residual blocks) and the layer tables of the
released PyTorch code. All tensors are channels last, `[N, H, W, C]`.
"""

from typing import Any

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.batch_normalization import BatchNormalization
from stackgan_tf.networks.convolutions import conv, convolve_joined, up_convolve
from stackgan_tf.networks.folding import fold_batch_norm, fold_upsampling

BATCH_NORMALIZATION_EPSILON = 1e-5
LEAKY_SLOPE = 0.2

Shape = tuple[Any, ...]  # of a tensor, None where unknown


def batch_norm(synchronized: bool, unbiased: bool = True) -> BatchNormalization:
    """Batch normalization with the constants of the released code; PyTorch's momentum 0.1 is 0.9 in Keras.

    Its moving variance is unbiased in v2's release, in PyTorch, and biased in v1's first one, in TensorFlow.
    """
    return BatchNormalization(
        unbiased,
        momentum=0.9,
        epsilon=BATCH_NORMALIZATION_EPSILON,
        gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02),
        synchronized=synchronized,
    )


def gated_linear_unit(x: KerasTensor) -> KerasTensor:
    """Gated linear unit (GLU): the first half of the channels times the sigmoid of the second half.

    Args:
        x: `[..., 2C]`; `ops.split` raises for an odd number of channels.

    Returns:
        `[..., C]`.
    """
    value, gate = ops.split(x, 2, axis=-1)
    return value * ops.sigmoid(gate)


@keras.saving.register_keras_serializable('stackgan_tf')
class UpBlock(keras.layers.Layer):
    """Doubles height and width: nearest-neighbor up-sampling, 3x3 convolution, batch normalization, GLU.

    `folded` computes the first two as one 4x4 transposed convolution of stride 2 whose taps are sums of the 3x3
    kernel's: the same numbers with 2.25 times fewer multiplications. The parameters keep their 3x3 form. The default
    folds from `FOLD_FROM` pixels up, where folding is faster.
    """

    FOLD_FROM = 16

    def __init__(
        self,
        filters: int,  # C', channels after the gate
        folded: bool | None = None,  # None: by the input's size
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.folded = folded
        self.synchronized = synchronized
        self.batch_norm = batch_norm(synchronized)

    def build(self, input_shape: Shape) -> None:
        """Creates the 3x3 kernel `[3, 3, C, 2C']`."""
        self._built_for = input_shape
        channels = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(3, 3, channels, 2 * self.filters), initializer=keras.initializers.Orthogonal(), name='kernel'
        )
        self.batch_norm.build((*[None if s is None else 2 * s for s in input_shape[:-1]], 2 * self.filters))

    def call(self, x: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, H, W, C]` to `[N, 2H, 2W, C']`."""
        x = up_convolve(x, ops.cast(self.kernel, self.compute_dtype), self._folds(x.shape))  # [N, 2H, 2W, 2C']
        x = self.batch_norm(x, training=training)
        return gated_linear_unit(x)  # [N, 2H, 2W, C']

    def fold_kernels(self) -> None:
        """See `folding.folded`."""
        fold_batch_norm(self, self.batch_norm)
        if self._folds(self._built_for):
            fold_upsampling(self)

    def _folds(self, shape: Shape) -> bool:
        return self.folded if self.folded is not None else shape[1] is not None and shape[1] >= self.FOLD_FROM

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Twice the height and width."""
        n, h, w, _ = input_shape
        return n, None if h is None else 2 * h, None if w is None else 2 * w, self.filters

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'filters': self.filters,
            'folded': self.folded,
            'synchronized': self.synchronized,
        }


@keras.saving.register_keras_serializable('stackgan_tf')
class JointBlock(keras.layers.Layer):
    """Joins a vector with features: tiling over all places, concatenation, 3x3 convolution, batch normalization, GLU.

    It is `Block3x3_relu` of the released code (which ends in a GLU) with the tiling before it, see `convolve_joined`.
    """

    def __init__(self, filters: int, synchronized: bool = False, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.synchronized = synchronized
        self.batch_norm = batch_norm(synchronized)

    def build(self, vector_shape: Shape, features_shape: Shape) -> None:
        """Creates the 3x3 kernel `[3, 3, Z + C, 2C']`, the vector's channels first."""
        self.vector_channels = vector_shape[-1]
        self.kernel = self.add_weight(
            shape=(3, 3, vector_shape[-1] + features_shape[-1], 2 * self.filters),
            initializer=keras.initializers.Orthogonal(),
            name='kernel',
        )
        self.batch_norm.build((*features_shape[:-1], 2 * self.filters))

    def call(self, vector: KerasTensor, features: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, Z]` and `[N, H, W, C]` to `[N, H, W, C']`; H and W are at least 3."""
        kernel = ops.cast(self.kernel, self.compute_dtype)
        vector_kernel, features_kernel = ops.split(kernel, [self.vector_channels], axis=2)
        h = convolve_joined(vector, vector_kernel, features, features_kernel)  # [N, H, W, 2C']
        return gated_linear_unit(self.batch_norm(h, training=training))

    def fold_kernels(self) -> None:
        """See `folding.folded`."""
        fold_batch_norm(self, self.batch_norm)

    def compute_output_shape(self, vector_shape: Shape, features_shape: Shape) -> Shape:
        """The features' height and width."""
        return (*features_shape[:-1], self.filters)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {**super().get_config(), 'filters': self.filters, 'synchronized': self.synchronized}


@keras.saving.register_keras_serializable('stackgan_tf')
class ResidualBlock(keras.layers.Layer):
    """v2's residual block: two 3x3 convolutions, a GLU between them, no activation after the sum."""

    def __init__(self, synchronized: bool = False, **kwargs: object) -> None:
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

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {**super().get_config(), 'synchronized': self.synchronized}


@keras.saving.register_keras_serializable('stackgan_tf')
class LeakyBlock(keras.layers.Layer):
    """The block of the discriminators: convolution, batch normalization, leaky ReLU.

    Stride 2 with a 4x4 kernel halves height and width (`downBlock` of the released code), stride 1 with a 3x3 kernel
    keeps them (`Block3x3_leakRelu`).
    """

    def __init__(
        self,
        filters: int,
        strides: int = 2,
        normalize: bool = True,
        synchronized: bool = False,
        spectral: bool = False,  # spectral normalization of the convolution
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides
        self.normalize = normalize
        self.synchronized = synchronized
        self.spectral = spectral
        self.conv = conv(filters, 4 if strides == 2 else 3, strides, spectral=spectral)
        self.batch_norm = batch_norm(synchronized) if normalize else None

    def build(self, input_shape: Shape) -> None:
        """Builds the convolution and, with `normalize`, its batch normalization."""
        self.conv.build(input_shape)
        if self.batch_norm is not None:
            self.batch_norm.build(self.conv.compute_output_shape(input_shape))

    def call(self, x: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, H, W, C]` to `[N, H / strides, W / strides, C']`."""
        return self._finish(self.conv(x), training)

    def joined(self, vector: KerasTensor, features: KerasTensor, training: bool = False) -> KerasTensor:
        """Applies the block to features `[N, H, W, C]` joined with a tiled vector `[N, E]`: see `convolve_joined`."""
        kernel = self.conv.divided(self.conv.kernel) if self.spectral else self.conv.kernel
        kernel, vector, features = (ops.cast(x, self.compute_dtype) for x in (kernel, vector, features))
        vector_kernel, features_kernel = ops.split(kernel, [vector.shape[-1]], axis=2)
        h = convolve_joined(vector, vector_kernel, features, features_kernel)
        return self._finish(h, training)

    def _finish(self, h: KerasTensor, training: bool) -> KerasTensor:
        if self.batch_norm is not None:
            h = self.batch_norm(h, training=training)
        return ops.leaky_relu(h, LEAKY_SLOPE)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Height and width divided by the stride."""
        return self.conv.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'filters': self.filters,
            'strides': self.strides,
            'normalize': self.normalize,
            'synchronized': self.synchronized,
            'spectral': self.spectral,
        }
