"""Random numbers of a training step: functions of (seed, step, purpose), the same on any number of replicas."""

import enum
from collections.abc import Callable

import tensorflow as tf

from stackgan_tf.models.global_batch import own_rows


class Purpose(enum.IntEnum):
    """The purpose of a draw; each has its own stream. The values define what a seed means: never reuse one."""

    LATENT = 0  # z
    DISCRIMINATOR_INPUT = 1
    AUGMENTATION = 2
    CONDITIONING = 3  # epsilon


_PURPOSES = 100  # the most there can be


def step_noise(
    seed: int,
    step: tf.Tensor,
    purpose: Purpose,
    batch_size: int,
    shape: tuple[int, ...],
    number: int = 0,
    distribution: Callable[..., tf.Tensor] = tf.random.stateless_normal,
) -> tf.Tensor:
    """This replica's rows of the noise of one training step.

    The noise is drawn for the whole global batch and every replica takes its rows, so the replicas differ from each
    other and together use the noise that a single replica would.

    Args:
        seed: of the run.
        step: int64 scalar, the global step.
        purpose: the purpose of the draw.
        batch_size: rows of the global batch, a multiple of the number of replicas.
        shape: of one row.
        number: tells apart several draws of one step for one purpose.
        distribution: standard normal, or `tf.random.stateless_uniform` for numbers in [0, 1).

    Returns:
        float32 `[batch_size / replicas, *shape]`.
    """
    # int64: the folded key has the type of this number, and with 32 bits some steps of a run would share their noise.
    stream = tf.constant(purpose + _PURPOSES * number, tf.int64)
    key = tf.random.experimental.stateless_fold_in(tf.stack([tf.cast(seed, tf.int64), step]), stream, alg='philox')
    noise = distribution((batch_size, *shape), key, alg='philox')
    rows = batch_size // tf.distribute.get_replica_context().num_replicas_in_sync
    return tf.ensure_shape(own_rows(noise), (rows, *shape))
