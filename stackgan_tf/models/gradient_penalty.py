"""R1 and R2: penalties on the gradient of a discriminator at real (R1) or generated images (R2).

Not in the paper. Source: Mescheder et al., "Which Training Methods for GANs do actually Converge?" (arXiv 1801.04406),
section 4.1.
"""

import keras
import tensorflow as tf

from stackgan_tf.models.discriminator_logits import logits_of


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
