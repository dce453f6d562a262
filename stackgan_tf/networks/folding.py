"""The form of a generator that is served: batch normalisation and doubling baked into its kernels."""

import keras
import numpy as np
from keras import KerasTensor, ops

from stackgan_tf.networks.batch_normalization import BatchNormalization

# Nearest-neighbour doubling followed by a 3-tap filter (k0, k1, k2) gives even outputs the taps (k0, k1 + k2) and odd
# ones (k0 + k1, k2). Row t of this matrix builds tap t of the 4-tap stride-2 transposed filter that does the same.
_FOLD = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], dtype='float32')
FOLDED_TAPS = len(_FOLD)


def folded_kernel(kernel: KerasTensor) -> KerasTensor:
    """A kernel `[3, 3, C, C']` after doubling, as that of a transposed convolution of stride 2, `[4, 4, C', C]`."""
    channels, filters = kernel.shape[2:]
    taps = ops.reshape(kernel, (-1, channels * filters))
    folded = ops.matmul(ops.cast(np.kron(_FOLD, _FOLD), kernel.dtype), taps)  # one product, both ways at once
    return ops.transpose(ops.reshape(folded, (FOLDED_TAPS, FOLDED_TAPS, channels, filters)), (0, 1, 3, 2))


def fold_batch_norm(layer: keras.layers.Layer, normalization: BatchNormalization) -> None:
    """Multiplies a layer's `kernel`, and `bias` if any, by the scale of the normalisation after it: a shift is left."""
    scale = normalization.fold_into_kernel()
    layer.kernel.assign(layer.kernel * scale)
    if getattr(layer, 'bias', None) is not None:
        layer.bias.assign(layer.bias * scale)


def fold_upsampling(layer: keras.layers.Layer) -> None:
    """Replaces a layer's `kernel` of three taps by the folded one."""
    folded = folded_kernel(ops.convert_to_tensor(layer.kernel))
    layer._untrack_variable(layer.kernel)
    layer._tracker.unlock()
    layer.kernel = layer.add_weight(shape=folded.shape, name='folded_kernel', initializer='zeros')
    layer._tracker.lock()
    layer.kernel.assign(folded)


def folded(network: keras.Model) -> keras.Model:
    """A network that makes the same images as a built generator in inference, within rounding, with less work.

    It has fewer variables and cannot be trained.
    """
    copy = type(network).from_config(network.get_config())
    copy.build((None, network.noise_dimension))
    copy.set_weights(network.get_weights())
    for layer in copy._flatten_layers():
        if hasattr(layer, 'fold_kernels'):
            layer.fold_kernels()
    copy.trainable = False
    return copy
