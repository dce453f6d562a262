"""Conditioning augmentation: maps a caption's embedding to the distribution of the generator's condition.

Source: StackGAN++, section "Conditioning augmentation", and the three released forms of it.
"""

from typing import Literal, get_args

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.convolution_block import Shape, activate

# The activation after the linear layer: none (the paper), a gated linear unit (released v2), a leaky ReLU whose second
# half is log sigma (released v1 for birds and flowers), a ReLU (released v1 for COCO).
Activation = Literal['linear', 'gated', 'leaky_relu', 'relu']
ACTIVATIONS = get_args(Activation)
# The largest log sigma squared that is drawn with. Embeddings unlike those of training can give thousands, whose
# exponential is infinite, and every pixel NaN. Training stays below: at 16, the divergence of one number is 4 million.
# Normal noise times sigma, 2,981, is finite in float16 too.
MOST_LOG_VARIANCE = 16.0


@keras.saving.register_keras_serializable('stackgan_tf')
class ConditioningAugmentation(keras.layers.Layer):
    """c = mu(phi) + sigma(phi) * epsilon, with mu and sigma from one linear layer of the embedding phi.

    The layer draws nothing: epsilon, standard normal, is an argument. Zeros give the mean; without `augmentation`,
    the paper's ablation, any epsilon does.
    """

    def __init__(
        self,
        condition_dimension: int = 128,  # E, of c
        *,
        activation: str = 'gated',  # one of `ACTIVATIONS`
        augmentation: bool = True,  # off: c is mu, whatever epsilon
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        if activation not in ACTIVATIONS:
            raise ValueError(f'no activation {activation!r}: there are {", ".join(ACTIVATIONS)}')
        self.condition_dimension = condition_dimension
        self.activation = activation
        self.augmentation = augmentation
        units = (4 if activation == 'gated' else 2) * condition_dimension
        self.dense = keras.layers.Dense(units, kernel_initializer=keras.initializers.Orthogonal())

    def build(self, *input_shapes: Shape) -> None:
        """Builds for embeddings `[N, T]`."""
        self.dense.build(input_shapes[0])

    def call(self, embedding: KerasTensor, noise: KerasTensor) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        """Draws the condition.

        Args:
            embedding: phi, `[N, T]`.
            noise: epsilon, `[N, E]`.

        Returns:
            c, mu and the logarithm of sigma squared, each `[N, E]`. c is drawn with at most `MOST_LOG_VARIANCE` of it.
        """
        h = activate(self.dense(embedding), self.activation)
        mu, log_variance = ops.split(h, 2, axis=-1)
        if self.activation == 'leaky_relu':
            log_variance = 2.0 * log_variance
        if not self.augmentation:
            return mu, mu, log_variance
        # The bound is on the draw alone: the loss needs the gradient of the log variance that is above it, to lower it.
        sigma = ops.exp(0.5 * ops.minimum(log_variance, MOST_LOG_VARIANCE))
        return mu + sigma * ops.cast(noise, mu.dtype), mu, log_variance

    def compute_output_shape(self, *input_shapes: Shape) -> tuple[Shape, Shape, Shape]:
        """Three times `[N, E]`."""
        shape = (input_shapes[0][0], self.condition_dimension)
        return shape, shape, shape
