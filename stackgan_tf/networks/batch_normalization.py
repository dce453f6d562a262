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
        unbiased: whether the moving variance is that of variances over n - 1 values, as in PyTorch, or over n, as in
            Keras. Batches are normalized by the latter in both.
        fused: a kernel of the backend that normalizes by the batch's statistics in one operation, where Keras computes
            means and products. Models set it; training on one replica uses it. None: Keras's own computation.
        replicas: over how many replicas a synchronized layer takes its statistics. Models set it.
        folded: whether the layer is a shift alone, see `fold_into_kernel`.
    """

    fused: FusedKernel | None = None
    replicas = 1
    folded = False

    def __init__(self, unbiased: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unbiased = unbiased

    def call(self, inputs: KerasTensor, training: bool = False, mask: Any = None) -> KerasTensor:
        """Normalizes `[..., C]`."""
        if self.folded:
            return ops.add(inputs, ops.cast(self.beta, inputs.dtype))
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        gamma, beta = ops.convert_to_tensor(self.gamma), ops.convert_to_tensor(self.beta)
        fused = self.fused if not self.synchronized and len(inputs.shape) == 4 else None
        outputs, mean, variance = (fused or self._normalized)(inputs, gamma, beta, self.epsilon)
        if self.unbiased:
            values = ops.cast(ops.size(inputs), 'float32') / inputs.shape[-1]  # of each channel
            values *= self.replicas if self.synchronized else 1
            variance *= values / ops.maximum(values - 1.0, 1.0)
        for moving, current in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + current * (1.0 - self.momentum))
        return outputs

    def _normalized(
        self, inputs: KerasTensor, gamma: KerasTensor, beta: KerasTensor, epsilon: float
    ) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        """What Keras's layer computes in training; a `FusedKernel` for inputs of any rank, and over replicas."""
        x = ops.cast(inputs, 'float32')
        mean, variance = ops.moments(x, axes=list(range(len(x.shape) - 1)), synchronized=self.synchronized)
        outputs = ops.batch_normalization(x, mean, variance, axis=-1, offset=beta, scale=gamma, epsilon=epsilon)
        return ops.cast(outputs, self.compute_dtype), mean, variance

    def fold_into_kernel(self) -> KerasTensor:
        """Turns the layer into a shift and returns the scale `[C]` by which to multiply the preceding kernel."""
        scale = self.gamma * ops.rsqrt(self.moving_variance + self.epsilon)
        self.beta.assign(self.beta - self.moving_mean * scale)
        for variable in (self.gamma, self.moving_mean, self.moving_variance):
            self._untrack_variable(variable)
        self.folded = True
        return scale

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), 'unbiased': self.unbiased}
