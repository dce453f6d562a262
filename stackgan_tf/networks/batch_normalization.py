"""Batch normalization of the blocks: by a fused kernel where there is one, or folded into the preceding kernel."""

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, ops

# Maps x `[N, H, W, C]`, gamma and beta `[C]`, and epsilon to the normalized x, its mean and its biased variance `[C]`.
FusedKernel = Callable[[KerasTensor, KerasTensor, KerasTensor, float], tuple[KerasTensor, KerasTensor, KerasTensor]]


@keras.saving.register_keras_serializable('stackgan_tf')
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalization, the same numbers in fewer passes over the features.

    Attributes:
        fused: a kernel of the backend that normalizes by the batch's statistics in one operation, where Keras computes
            means and products. Models set it; training on one replica uses it. None: Keras's own computation.
        folded: whether the layer is a shift alone, see `fold_into_kernel`.
    """

    fused: FusedKernel | None = None
    folded = False

    def call(self, inputs: KerasTensor, training: bool = False, mask: Any = None) -> KerasTensor:
        """Normalizes `[..., C]`."""
        if self.folded:
            return ops.add(inputs, ops.cast(self.beta, inputs.dtype))
        if self.fused is None or self.synchronized or not (training and self.trainable) or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        gamma, beta = ops.convert_to_tensor(self.gamma), ops.convert_to_tensor(self.beta)
        outputs, mean, variance = self.fused(inputs, gamma, beta, self.epsilon)
        for moving, current in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + current * (1.0 - self.momentum))
        return outputs

    def fold_into_kernel(self) -> KerasTensor:
        """Turns the layer into a shift and returns the scale `[C]` by which to multiply the preceding kernel."""
        scale = self.gamma * ops.rsqrt(self.moving_variance + self.epsilon)
        self.beta.assign(self.beta - self.moving_mean * scale)
        for variable in (self.gamma, self.moving_mean, self.moving_variance):
            self._untrack_variable(variable)
        self.folded = True
        return scale
