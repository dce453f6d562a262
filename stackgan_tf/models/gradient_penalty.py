"""R1 and R2: penalties on the gradient of a discriminator at real (R1) or generated images (R2).

Not in the paper. Source: Mescheder et al., "Which Training Methods for GANs do actually Converge?" (arXiv 1801.04406),
section 4.1.
"""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from stackgan_tf.models.discriminator_logits import logits_of
from stackgan_tf.models.settings import DiscriminatorInputs


def r1_penalty(
    discriminator: keras.Model, images: tf.Tensor, condition: tf.Tensor | None, has_condition: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """The squared norm of the gradient of the sum of a discriminator's logits with respect to its images.

    Batch normalization uses its moving statistics here, so each gradient depends on one image alone, and replicas
    exchange nothing, which they cannot do inside a `tf.cond`.

    Args:
        discriminator: of StackGAN-v1 or StackGAN-v2.
        images: float32 `[n, s, s, 3]`.
        condition: `[n, E]`; None for an unconditional discriminator.
        has_condition: float `[n]`, 0 where an image has no condition: only its unconditional logit counts.

    Returns:
        float32 scalar, the mean over rows. The paper weighs it with gamma / 2.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        conditional_logits, unconditional_logits = logits_of(discriminator, images, condition, training=False)
        total = tf.constant(0.0) if conditional_logits is None else tf.reduce_sum(has_condition * conditional_logits)
        total += 0.0 if unconditional_logits is None else tf.reduce_sum(unconditional_logits)
    gradient = tape.gradient(total, images)
    return tf.reduce_mean(tf.reduce_sum(tf.square(gradient), axis=(1, 2, 3)))


def gradient_penalties(
    settings: DiscriminatorInputs,
    step: tf.Tensor,
    discriminator: keras.Model,
    images: tuple[tf.Tensor, tf.Tensor],
    condition: tf.Tensor | None,
    has_condition: tf.Tensor | float,
) -> list[tf.Tensor]:
    """The weighted R1 and R2 penalties, computed every `r1_every` steps and scaled by as much.

    Source: Karras et al. (StyleGAN2, arXiv 1912.04958), "Lazy regularization".

    Args:
        settings: with both weights.
        step: int64 scalar, the global step.
        discriminator: see `r1_penalty`.
        images: real and generated, float32 `[n, s, s, 3]` each.
        condition: see `r1_penalty`.
        has_condition: see `r1_penalty`.
    """

    def lazily(weight: float, penalty: Callable[[], tf.Tensor]) -> tf.Tensor:
        due = tf.equal(step % settings.r1_every, 0)
        return tf.cond(due, lambda: weight * penalty(), lambda: tf.constant(0.0))

    penalties = []
    for gamma, inputs in zip((settings.r1_weight, settings.r2_weight), images, strict=True):
        penalty = functools.partial(r1_penalty, discriminator, inputs, condition, has_condition)
        penalties.append(lazily(0.5 * gamma * settings.r1_every, penalty) if gamma else tf.constant(0.0))
    return penalties
