"""The building blocks of StackGAN-v1, initialized as in its released code.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v1", "Implementation details", and the layers of the released
code. All tensors are channels last, `[N, H, W, C]`.
"""

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import LEAKY_SLOPE, Shape, UpBlock, batch_norm
from stackgan_tf.networks.conditioning_augmentation import ConditioningAugmentation
from stackgan_tf.networks.convolutions import convolve_joined, up_convolve
from stackgan_tf.networks.folding import fold_batch_norm, fold_upsampling
from stackgan_tf.networks.scales import check_sizes
from stackgan_tf.networks.tree_generator import NARROWEST_BRANCH

ACTIVATIONS = ('linear', 'relu', 'leaky_relu', 'tanh')
DEVIATION = 0.02  # of every initial kernel


def stage_conv(filters: int, kernel: int = 3, strides: int = 1, use_bias: bool = False) -> keras.layers.Conv2D:
    """A convolution whose kernel starts truncated normal, without a bias by default."""
    return keras.layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding='same',
        use_bias=use_bias,
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=DEVIATION),
    )


def stage_dense(units: int, use_bias: bool = True) -> keras.layers.Dense:
    """A dense layer whose kernel starts normal, its bias at zero."""
    return keras.layers.Dense(
        units, use_bias=use_bias, kernel_initializer=keras.initializers.RandomNormal(stddev=DEVIATION)
    )


def stage_augmentation(dimension: int, activation: str, augmented: bool = True) -> ConditioningAugmentation:
    """Conditioning augmentation whose dense layer starts normal as the other layers of v1, not orthogonal."""
    augment = ConditioningAugmentation(dimension, activation, augmented)
    augment.dense.kernel_initializer = keras.initializers.RandomNormal(stddev=DEVIATION)
    return augment


def activate(x: KerasTensor, activation: str) -> KerasTensor:
    """Applies one of `ACTIVATIONS`."""
    if activation == 'leaky_relu':
        return ops.leaky_relu(x, LEAKY_SLOPE)
    return {'linear': lambda x: x, 'relu': ops.relu, 'tanh': ops.tanh}[activation](x)


def doublings_between(small: int, size: int) -> int:
    """How many doublings lead from a map of `small` pixels to `size` pixels.

    Raises:
        ValueError: no number of doublings does, or `size` is not a size that a model may have.
    """
    check_sizes((size,))
    if not 0 < small < size or size % small:
        raise ValueError(f'a map of {small} does not double to {size} pixels: take a power of two under {size}')
    return (size // small).bit_length() - 1


def scaled_width(base_width: int, doublings: int) -> int:
    """`base_width * 2**doublings`; as in the tree, halving stops at 8 channels, or at a base narrower than that."""
    if doublings >= 0:
        return base_width << doublings
    return max(base_width >> -doublings, min(base_width, NARROWEST_BRANCH))


@keras.saving.register_keras_serializable('stackgan_tf')
class UpConv(keras.layers.Layer):
    """Nearest-neighbor up-sampling by 2 and a 3x3 convolution without bias, folded into one where that is faster."""

    def __init__(self, filters: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, input_shape: Shape) -> None:
        """Creates the 3x3 kernel `[3, 3, C, C']`."""
        self._built_for = input_shape
        self.kernel = self.add_weight(
            shape=(3, 3, input_shape[-1], self.filters),
            initializer=keras.initializers.TruncatedNormal(stddev=DEVIATION),
            name='kernel',
        )

    def call(self, x: KerasTensor) -> KerasTensor:
        """Maps `[N, H, W, C]` to `[N, 2H, 2W, C']`."""
        return up_convolve(x, ops.cast(self.kernel, self.compute_dtype), _folds(x.shape))

    def fold_upsampling(self) -> None:
        """See `folding.folded`; call it last, once batch normalization is folded into the kernel."""
        if _folds(self._built_for):
            fold_upsampling(self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Twice the height and width."""
        n, h, w, _ = input_shape
        return n, None if h is None else 2 * h, None if w is None else 2 * w, self.filters

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {**super().get_config(), 'filters': self.filters}


def _folds(shape: Shape) -> bool:
    return shape[1] is not None and shape[1] >= UpBlock.FOLD_FROM


@keras.saving.register_keras_serializable('stackgan_tf')
class StageBlock(keras.layers.Layer):
    """v1's block: convolution, batch normalization, activation; it keeps, halves or doubles height and width."""

    def __init__(
        self,
        filters: int,
        kernel: int = 3,
        strides: int = 1,  # 2: halves height and width
        up: bool = False,  # doubles them, with a kernel of 3
        activation: str = 'relu',  # one of `ACTIVATIONS`
        normalize: bool = True,
        synchronized: bool = False,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        if activation not in ACTIVATIONS:
            raise ValueError(f'no activation {activation!r}: there are {", ".join(ACTIVATIONS)}')
        self.filters = filters
        self.kernel = kernel
        self.strides = strides
        self.up = up
        self.activation = activation
        self.normalize = normalize
        self.synchronized = synchronized
        self.conv = UpConv(filters) if up else stage_conv(filters, kernel, strides)
        self.batch_norm = batch_norm(synchronized, unbiased=False) if normalize else None

    def build(self, input_shape: Shape) -> None:
        """Builds the convolution and, with `normalize`, its batch normalization."""
        self.conv.build(input_shape)
        if self.batch_norm is not None:
            self.batch_norm.build(self.conv.compute_output_shape(input_shape))

    def call(self, x: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, H, W, C]` to `[N, H', W', C']`."""
        return self._finish(self.conv(x), training)

    def joined(self, features: KerasTensor, vector: KerasTensor, training: bool = False) -> KerasTensor:
        """Applies the block to features `[N, H, W, C]` joined with a tiled vector `[N, E]`: see `convolve_joined`."""
        kernel, vector, features = (ops.cast(x, self.compute_dtype) for x in (self.conv.kernel, vector, features))
        features_kernel, vector_kernel = ops.split(kernel, [features.shape[-1]], axis=2)
        h = convolve_joined(vector, vector_kernel, features, features_kernel)
        return self._finish(h, training)

    def _finish(self, h: KerasTensor, training: bool) -> KerasTensor:
        if self.batch_norm is not None:
            h = self.batch_norm(h, training=training)
        return activate(h, self.activation)

    def fold_kernels(self) -> None:
        """See `folding.folded`."""
        if self.batch_norm is not None:
            fold_batch_norm(self.conv, self.batch_norm)
        if self.up:
            self.conv.fold_upsampling()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Height and width divided by the stride, or doubled."""
        return self.conv.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        names = ('filters', 'kernel', 'strides', 'up', 'activation', 'normalize', 'synchronized')
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable('stackgan_tf')
class StageResidualBlock(keras.layers.Layer):
    """v1's residual block, with an activation after the sum: two 3x3 convolutions, or a bottleneck.

    The bottleneck, in Stage-I's generator and in both discriminators, has a 1x1 and a 3x3 convolution at a quarter of
    the width and a 3x3 convolution back to it. Stage-II's generator has the plain form.
    """

    def __init__(
        self,
        bottleneck: bool = False,
        activation: str = 'relu',
        normalize: bool = True,
        synchronized: bool = False,
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
        self.blocks = [StageBlock(width, kernel, activation=self.activation, **common) for width, kernel in inner]
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

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        names = ('bottleneck', 'activation', 'normalize', 'synchronized')
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
