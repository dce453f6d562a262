"""Spectral normalisation: a convolution whose kernel, as a matrix, stretches nothing by more than 1.

Not in the paper. It bounds how steep a discriminator is. Source: Miyato et al., "Spectral Normalization for Generative
Adversarial Networks" (arXiv 1802.05957), section 2.1 and algorithm 1.
"""

from typing import Any

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable('stackgan_tf')
class SpectralConv2D(keras.layers.Conv2D):
    """A convolution by its kernel over the kernel's largest singular value, the kernel taken as a matrix `[K K C, C']`.

    The singular value is estimated from a vector that `iterate` brings closer to the singular one: call it before every
    forward pass of training. Gradients pass through the division, and the kernel keeps its own length.
    `keras.layers.SpectralNormalization` writes the divided kernel over the trained one in the middle of a step instead.
    """

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates the kernel, and the vector `[C']`, of unit length."""
        super().build(input_shape)
        start = keras.initializers.Constant(self.filters**-0.5)
        self.direction = self.add_weight(
            shape=(self.filters,), initializer=start, trainable=False, autocast=False, name='direction'
        )

    def iterate(self) -> None:
        """One step of power iteration: moves the vector towards the right singular one."""
        matrix = ops.reshape(self.kernel, (-1, self.filters))
        self.direction.assign(_unit(ops.matmul(ops.transpose(matrix), ops.matmul(matrix, self.direction))))

    def divided(self, kernel: KerasTensor) -> KerasTensor:
        """A kernel `[K, K, C, C']` by its largest singular value."""
        matrix = ops.cast(ops.reshape(kernel, (-1, self.filters)), 'float32')
        stretched = ops.matmul(matrix, ops.convert_to_tensor(self.direction))  # [K K C]
        largest = ops.sum(ops.stop_gradient(_unit(stretched)) * stretched)
        return kernel / ops.cast(largest, kernel.dtype)

    def convolution_op(self, inputs: KerasTensor, kernel: KerasTensor) -> KerasTensor:
        """Convolves `[N, H, W, C]` with the divided kernel."""
        return super().convolution_op(inputs, self.divided(kernel))

    # Keras's convolutions save what they know of.

    def save_own_variables(self, store: Any) -> None:
        """Saves kernel, bias and vector."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """Loads what was saved."""
        keras.layers.Layer.load_own_variables(self, store)


def _unit(vector: KerasTensor) -> KerasTensor:
    return vector / (ops.norm(vector) + 1e-12)
