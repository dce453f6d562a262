"""What discriminators say of images, of both StackGANs, and how sure they are."""

import keras
import tensorflow as tf

from stackgan_tf.losses.joint_conditional import Logits


def logits_of(
    discriminator: keras.Model, image: tf.Tensor, condition: tf.Tensor | None, training: bool = True
) -> Logits:
    """What a discriminator says of images `[n, s, s, 3]` and what it is told."""
    return judged(discriminator, discriminator.features(image, training=training), condition, training)


def judged(
    discriminator: keras.Model, features: tf.Tensor, condition: tf.Tensor | None, training: bool = True
) -> Logits:
    """The same, of images whose features it has made."""
    conditional_logits = (
        discriminator.conditional_logits(features, condition, training=training) if condition is not None else None
    )
    return Logits(
        conditional_logits, discriminator.unconditional_logits(features) if discriminator.unconditional else None
    )


def confidences_of(real: Logits, mismatched: Logits | None, generated: Logits) -> dict[str, tf.Tensor]:
    """How sure a discriminator is that images are real, and that real ones match; means over the rows.

    Without an unconditional head, generated images are those that it takes for matching.
    """
    of_kind = {
        'generated': generated.conditional_logits
        if generated.unconditional_logits is None
        else generated.unconditional_logits
    }
    if real.unconditional_logits is not None:
        of_kind['real'] = real.unconditional_logits
    if real.conditional_logits is not None:
        of_kind['match'] = real.conditional_logits
    if mismatched is not None:
        of_kind['mismatch'] = mismatched.conditional_logits
    return {f'confidence_{kind}': tf.reduce_mean(tf.sigmoid(logits)) for kind, logits in of_kind.items()}
