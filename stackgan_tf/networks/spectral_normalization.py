"""Spectral normalization: a convolution whose kernel, as a matrix, has spectral norm 1.

Not in the paper. It bounds the Lipschitz constant of a discriminator. Source: Miyato et al., "Spectral Normalization
for Generative Adversarial Networks" (arXiv 1802.05957), section 2.1 and algorithm 1.
"""

from typing import Any

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable('stackgan_tf')
class SpectralConv2D(keras.layers.Conv2D):
    """A convolution whose kernel, as a matrix `[K K C, C']`, is divided by its largest singular value.

    The singular value is estimated from a vector that `iterate` brings closer to the right singular vector: call it
    before every forward pass of training. Gradients pass through the division, and the trained kernel keeps its norm.
    `keras.layers.SpectralNormalization` instead overwrites the trained kernel in the middle of a step.
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates the kernel, and the unit vector `[C']`."""
        super().build(input_shape)
        start = keras.initializers.Constant(self.filters**-0.5)
        self.direction = self.add_weight(
            shape=(self.filters,), initializer=start, trainable=False, autocast=False, name='direction'
        )

    def iterate(self) -> None:
        """One step of power iteration: brings the vector closer to the right singular vector."""
        matrix = ops.reshape(self.kernel, (-1, self.filters))
        self.direction.assign(_unit(ops.matmul(ops.transpose(matrix), ops.matmul(matrix, self.direction))))

    def divided(self, kernel: KerasTensor) -> KerasTensor:
        """Divides a kernel `[K, K, C, C']` by its largest singular value."""
        matrix = ops.cast(ops.reshape(kernel, (-1, self.filters)), 'float32')
        stretched = ops.matmul(matrix, ops.convert_to_tensor(self.direction))  # [K K C]
        largest = ops.sum(ops.stop_gradient(_unit(stretched)) * stretched)
        return ops.cast(ops.cast(kernel, 'float32') / largest, kernel.dtype)

    def convolution_op(self, inputs: KerasTensor, kernel: KerasTensor) -> KerasTensor:
        """Convolves `[N, H, W, C]` with the divided kernel."""
        return super().convolution_op(inputs, self.divided(kernel))

    # The methods of keras.layers.Conv2D save and load kernel and bias alone.

    def save_own_variables(self, store: Any) -> None:
        """Saves kernel, bias and vector."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """Loads kernel, bias and vector."""
        keras.layers.Layer.load_own_variables(self, store)


def _unit(vector: KerasTensor) -> KerasTensor:
    return vector / (ops.norm(vector) + 1e-12)
