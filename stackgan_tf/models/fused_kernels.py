"""TensorFlow's fused kernels for formulas that Keras computes operation by operation."""

import keras
import tensorflow as tf

from stackgan_tf.networks.batch_normalization import BatchNormalization


def normalize_batch(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Batch normalization of `[N, H, W, C]` in training; see `networks.batch_normalization.FusedKernel`."""
    none = tf.zeros((0,))
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=gamma, offset=beta, mean=none, variance=none, epsilon=epsilon, is_training=True
    )
    rows = tf.cast(tf.size(x) // tf.shape(x)[-1], tf.float32)
    # The kernel returns the unbiased variance, which divides by one row less.
    return y, mean, variance * (tf.maximum(rows - 1.0, 1.0) / rows)


def fuse_normalization(network: keras.Model) -> None:
    """Makes every batch normalization of a network use the fused kernel, and sets the number of its replicas."""
    for layer in network._flatten_layers():
        if isinstance(layer, BatchNormalization):
            layer.fused = normalize_batch
            layer.replicas = tf.distribute.get_strategy().num_replicas_in_sync


class FusedAdam(keras.optimizers.Adam):
    """Adam with the same state and formula as Keras's; one operation updates a variable."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Updates a variable."""
        step = tf.cast(self.iterations + 1, tf.float32)
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def move_towards(average: tf.Variable, variable: tf.Tensor, share: tf.Tensor | float) -> None:
    """Moves a float32 variable by a share of its distance to a value."""
    tf.raw_ops.ResourceApplyGradientDescent(var=average.handle, alpha=share, delta=average - variable)
