"""The serving form of a generator: batch normalization and up-sampling folded into its kernels."""

import keras
import numpy as np
from keras import KerasTensor, ops

from stackgan_tf.networks.batch_normalization import BatchNormalization

# Nearest-neighbor doubling followed by a 3-tap filter (k0, k1, k2) gives even outputs the taps (k0, k1 + k2) and odd
# ones (k0 + k1, k2). Row t of this matrix makes tap t of the equivalent 4-tap transposed filter of stride 2.
_FOLD = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype='float32')
FOLDED_TAPS = len(_FOLD)


def folded_kernel(kernel: KerasTensor) -> KerasTensor:
    """Folds doubling into a kernel `[3, 3, C, C']`: that of a transposed convolution of stride 2, `[4, 4, C', C]`."""
    channels, filters = kernel.shape[2:]
    taps = ops.reshape(kernel, (-1, channels * filters))
    folded = ops.matmul(ops.cast(np.kron(_FOLD, _FOLD), kernel.dtype), taps)  # one product for both directions
    return ops.transpose(ops.reshape(folded, (FOLDED_TAPS, FOLDED_TAPS, channels, filters)), (0, 1, 3, 2))


def fold_batch_norm(layer: keras.layers.Layer, normalization: BatchNormalization) -> None:
    """Folds the scale of a batch normalization into `kernel` and `bias` of the layer before it; a shift remains."""
    scale = normalization.fold_into_kernel()
    layer.kernel.assign(layer.kernel * scale)
    if getattr(layer, 'bias', None) is not None:
        layer.bias.assign(layer.bias * scale)


def fold_upsampling(layer: keras.layers.Layer) -> None:
    """Replaces a layer's 3x3 `kernel` by the folded one, 4x4."""
    folded = folded_kernel(ops.convert_to_tensor(layer.kernel))
    layer._untrack_variable(layer.kernel)
    layer._tracker.unlock()
    layer.kernel = layer.add_weight(shape=folded.shape, name='folded_kernel', initializer='zeros')
    layer._tracker.lock()
    layer.kernel.assign(folded)


def folded(network: keras.Model) -> keras.Model:
    """A copy of a built generator that makes the same images in inference, within rounding, with less computation.

    It has fewer variables and cannot be trained. Every layer that has `fold_kernels` folds its own.
    """
    copy = type(network).from_config(network.get_config())
    copy.build((None, network.noise_dimension))
    copy.set_weights(network.get_weights())
    for layer in copy._flatten_layers():
        if hasattr(layer, 'fold_kernels'):
            layer.fold_kernels()
    copy.trainable = False
    return copy
