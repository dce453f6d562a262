"""The block that all networks are built of: a convolution, batch normalization and an activation.

All tensors are channels last, `[N, H, W, C]`.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.batch_normalization import BatchNormalization
from stackgan_tf.networks.convolutions import convolve_joined, up_convolve
from stackgan_tf.networks.folding import fold_batch_norm, fold_upsampling
from stackgan_tf.networks.spectral_normalization import SpectralConv2D

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


_ACTIVATIONS: dict[str, Callable[[KerasTensor], KerasTensor]] = {
    'linear': lambda x: x,
    'relu': ops.relu,
    'leaky_relu': lambda x: ops.leaky_relu(x, LEAKY_SLOPE),
    'tanh': ops.tanh,
    'gated': gated_linear_unit,
}


def activate(x: KerasTensor, activation: str) -> KerasTensor:
    """Applies an activation: 'linear' (none), 'relu', 'leaky_relu', 'tanh', or 'gated', which halves the channels."""
    return _ACTIVATIONS[activation](x)


@keras.saving.register_keras_serializable('stackgan_tf')
class UpConv(keras.layers.Layer):
    """Nearest-neighbor up-sampling by 2, and a 3x3 convolution without bias.

    `folded` computes both as one 4x4 transposed convolution of stride 2 whose taps are sums of the 3x3 kernel's: the
    same numbers with 2.25 times fewer multiplications. The parameters keep their 3x3 form. The default folds from
    `FOLD_FROM` pixels up, where folding is faster.
    """

    FOLD_FROM = 16

    def __init__(
        self,
        filters: int,  # C'
        *,
        folded: bool | None = None,  # None: by the input's size
        kernel_initializer: str = 'orthogonal',
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.folded = folded
        self.kernel_initializer = kernel_initializer

    def build(self, input_shape: Shape) -> None:
        """Creates the 3x3 kernel `[3, 3, C, C']`."""
        self._built_for = input_shape
        self.kernel = self.add_weight(
            shape=(3, 3, input_shape[-1], self.filters), initializer=self.kernel_initializer, name='kernel'
        )

    def call(self, x: KerasTensor) -> KerasTensor:
        """Maps `[N, H, W, C]` to `[N, 2H, 2W, C']`."""
        return up_convolve(x, ops.cast(self.kernel, self.compute_dtype), self._folds(x.shape))

    def fold_upsampling(self) -> None:
        """See `folding.folded`; call it last, once batch normalization is folded into the kernel."""
        if self._folds(self._built_for):
            fold_upsampling(self)

    def _folds(self, shape: Shape) -> bool:
        return self.folded if self.folded is not None else shape[1] is not None and shape[1] >= self.FOLD_FROM

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Twice the height and width."""
        n, h, w, _ = input_shape
        return n, None if h is None else 2 * h, None if w is None else 2 * w, self.filters


class ConvolutionBlock(keras.layers.Layer):
    """Convolution, batch normalization, activation: what every block is.

    Called with a vector, it joins the vector with the features: tiling over all places, concatenation, then the
    convolution, which must have stride 1; see `convolve_joined`.
    """

    def __init__(
        self,
        convolution: keras.layers.Layer,  # without bias; before a gated linear unit, of twice the channels
        *,
        activation: str,  # see `activate`
        normalize: bool = True,  # whether there is batch normalization
        synchronized: bool = False,  # batch statistics over all replicas
        unbiased: bool = True,  # moving variances; see `batch_norm`
        vector_first: bool = True,  # whether the kernel reads the channels of a joined vector before the features'
        late_initializer: Callable[[], keras.initializers.Initializer] | None = None,  # of the kernel; see `build`
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.conv = convolution
        self.batch_norm = batch_norm(synchronized, unbiased) if normalize else None
        self.activation = activation
        self.vector_first = vector_first
        self.late_initializer = late_initializer
        self.filters = convolution.filters // 2 if activation == 'gated' else convolution.filters  # C'

    def build(self, features_shape: Shape, vector_shape: Shape | None = None) -> None:
        """Builds the convolution, and its batch normalization if it has one.

        An initializer draws its seed when it is made. `late_initializer` is made here, and not with the layer: that
        decides which initial weights belong to a seed.
        """
        if self.late_initializer is not None:
            self.conv.kernel_initializer = self.late_initializer()
        channels = features_shape[-1] + (0 if vector_shape is None else vector_shape[-1])
        self.conv.build((*features_shape[:-1], channels))
        if self.batch_norm is not None:
            self.batch_norm.build(self.conv.compute_output_shape(features_shape))

    def call(self, features: KerasTensor, vector: KerasTensor | None = None, training: bool = False) -> KerasTensor:
        """Maps features `[N, H, W, C]`, and a vector `[N, Z]` to join, if any, to `[N, H', W', C']`.

        To join a vector, H and W must be at least 3.
        """
        h = self.conv(features) if vector is None else self._convolve_joined(features, vector)
        if self.batch_norm is not None:
            h = self.batch_norm(h, training=training)
        return activate(h, self.activation)

    def _convolve_joined(self, features: KerasTensor, vector: KerasTensor) -> KerasTensor:
        kernel = self.conv.kernel
        if isinstance(self.conv, SpectralConv2D):
            kernel = self.conv.divided(kernel)
        kernel, features, vector = (ops.cast(x, self.compute_dtype) for x in (kernel, features, vector))
        if self.vector_first:
            vector_kernel, features_kernel = ops.split(kernel, [vector.shape[-1]], axis=2)
        else:
            features_kernel, vector_kernel = ops.split(kernel, [features.shape[-1]], axis=2)
        return convolve_joined(vector, vector_kernel, features, features_kernel)

    def fold_kernels(self) -> None:
        """See `folding.folded`."""
        if self.batch_norm is not None:
            fold_batch_norm(self.conv, self.batch_norm)
        if isinstance(self.conv, UpConv):
            self.conv.fold_upsampling()

    def compute_output_shape(self, features_shape: Shape, vector_shape: Shape | None = None) -> Shape:
        """Height and width as the convolution makes them."""
        return (*self.conv.compute_output_shape(features_shape)[:-1], self.filters)
