"""R1: how steep a discriminator is around real images, which keeps it from changing faster than a generator follows.

Not in the paper. Source: Mescheder et al., "Which Training Methods for GANs do actually Converge?" (arXiv 1801.04406),
section 4.1.
"""

import keras
import tensorflow as tf

from stackgan_tf.models.discriminator_logits import logits_of


def r1_penalty(
    discriminator: keras.Model, images: tf.Tensor, condition: tf.Tensor | None, has_condition: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """The squared length of the gradient of a discriminator's logits, all added, in the real images it sees.

    Batch normalisation uses its moving statistics here: so a gradient is of one image alone, and replicas exchange
    nothing, which they cannot inside of a condition.

    Args:
        discriminator: of either StackGAN.
        images: float32 `[n, s, s, 3]`.
        condition: `[n, E]`; None for an unconditional discriminator.
        has_condition: float `[n]`, 0 where an image has no condition: there the logit of the image alone counts.

    Returns:
        float32 scalar, the mean over rows; what weighs it is halved in the paper.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        conditional_logits, unconditional_logits = logits_of(discriminator, images, condition, training=False)
        total = tf.constant(0.0) if conditional_logits is None else tf.reduce_sum(has_condition * conditional_logits)
        total += 0.0 if unconditional_logits is None else tf.reduce_sum(unconditional_logits)
    gradient = tape.gradient(total, images)
    return tf.reduce_mean(tf.reduce_sum(tf.square(gradient), axis=(1, 2, 3)))
