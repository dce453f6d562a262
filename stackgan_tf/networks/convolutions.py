"""Convolutions of the generators and discriminators in cheaper, numerically equal forms.

All tensors are channels last, `[N, H, W, C]`.
"""

import keras
import numpy as np
from keras import KerasTensor, ops

from stackgan_tf.networks.folding import FOLDED_TAPS, folded_kernel
from stackgan_tf.networks.spectral_normalization import SpectralConv2D

# Which taps of a 3-tap filter lie inside, at the first place, between, and at the last place.
_INSIDE = np.array([[0, 1, 1], [1, 1, 1], [1, 1, 0]], dtype='float32')


def conv(
    filters: int,
    kernel: int = 3,
    *,
    strides: int = 1,
    use_bias: bool = False,
    spectral_normalization: bool = False,
    kernel_initializer: str | keras.initializers.Initializer | None = None,
) -> keras.layers.Conv2D:
    """A convolution initialized as in the released code of v2, by default: orthogonal kernel, no bias."""
    layer = SpectralConv2D if spectral_normalization else keras.layers.Conv2D
    return layer(
        filters,
        kernel,
        strides=strides,
        padding='same',
        use_bias=use_bias,
        kernel_initializer=keras.initializers.Orthogonal() if kernel_initializer is None else kernel_initializer,
    )


def up_convolve(x: KerasTensor, kernel: KerasTensor, folded: bool) -> KerasTensor:
    """Nearest-neighbor up-sampling by 2 followed by a 3x3 convolution.

    Args:
        x: `[N, H, W, C]`.
        kernel: `[3, 3, C, C']`, or `[4, 4, C', C]` if it is folded already: that one is used as it is.
        folded: whether to fold a 3x3 kernel first, see `blocks.UpBlock`.

    Returns:
        `[N, 2H, 2W, C']`.
    """
    if kernel.shape[0] != FOLDED_TAPS:
        if not folded:
            return _same_conv(ops.repeat(ops.repeat(x, 2, axis=1), 2, axis=2), kernel)
        kernel = folded_kernel(kernel)
    return ops.conv_transpose(x, kernel, strides=2, padding='same', data_format='channels_last')


def convolve_joined(
    vector: KerasTensor, vector_kernel: KerasTensor, features: KerasTensor, features_kernel: KerasTensor
) -> KerasTensor:
    """Convolution of features concatenated with a vector tiled over all places, computed without tiling the vector.

    Every place reads the same tiled vector, except for the taps that fall outside at the borders. So each tap
    multiplies the vector once, and the sums are repeated over the places: the same numbers.

    Args:
        vector: `[N, E]`.
        vector_kernel: the part of the kernel for the vector, `[k, k, E, C']`, k 1 or 3.
        features: `[N, H, W, C]`; H and W are at least 3.
        features_kernel: the part of the kernel for the features, `[k, k, C, C']`.

    Returns:
        `[N, H, W, C']`.
    """
    _, height, width, _ = features.shape
    taps, _, condition, filters = vector_kernel.shape
    h = ops.matmul(vector, ops.reshape(vector_kernel, (taps * taps, condition, filters)))  # [k k, N, C']
    if taps > 1:
        inside = ops.cast(np.kron(_INSIDE, _INSIDE), h.dtype)
        h = ops.reshape(ops.matmul(inside, ops.reshape(h, (taps * taps, -1))), (taps * taps, -1, filters))
    # Sums over the taps inside, at the first place, between and at the last, in both directions.
    h = ops.transpose(ops.reshape(h, (taps, taps, -1, filters)), (2, 0, 1, 3))  # [N, k, k, C']
    if taps > 1:
        h = _spread(_spread(h, 1, height), 2, width)
    return _same_conv(features, features_kernel) + h


def _same_conv(x: KerasTensor, kernel: KerasTensor) -> KerasTensor:
    return ops.conv(x, kernel, padding='same', data_format='channels_last')


def _spread(x: KerasTensor, axis: int, length: int) -> KerasTensor:
    """Repeats the middle one of three slices along an axis until there are `length`."""
    first, middle, last = ops.split(x, 3, axis=axis)
    repeats = [1] * 4
    repeats[axis] = length - 2
    return ops.concatenate([first, ops.tile(middle, repeats), last], axis=axis)
