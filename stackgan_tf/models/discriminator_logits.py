"""The logits of the discriminators of both StackGANs, and their confidences."""

import keras
import tensorflow as tf

from stackgan_tf.losses.joint_conditional import Logits


def logits_of(
    discriminator: keras.Model, image: tf.Tensor, condition: tf.Tensor | None, training: bool = True
) -> Logits:
    """The logits of images `[n, s, s, 3]`, alone and with the discriminator's condition."""
    return logits_of_features(discriminator, discriminator.features(image, training=training), condition, training)


def logits_of_features(
    discriminator: keras.Model, features: tf.Tensor, condition: tf.Tensor | None, training: bool = True
) -> Logits:
    """The same as `logits_of`, from the discriminator's features of the images."""
    conditional_logits = (
        discriminator.conditional_logits(features, condition, training=training) if condition is not None else None
    )
    return Logits(
        conditional_logits, discriminator.unconditional_logits(features) if discriminator.unconditional else None
    )


def relative_logits(real: Logits, mismatched: Logits | None, generated: Logits) -> tuple[Logits, Logits | None, Logits]:
    """The three logits relative to their partners, whose sigmoids are confidences where losses are relativistic.

    Real and generated images are compared with each other, mismatched pairs with the matching ones.
    """

    def minus(one: Logits, other: Logits) -> Logits:
        return Logits(*(None if a is None or b is None else a - b for a, b in zip(one, other, strict=True)))

    return minus(real, generated), None if mismatched is None else minus(mismatched, real), minus(generated, real)


def confidences_of(real: Logits, mismatched: Logits | None, generated: Logits) -> dict[str, tf.Tensor]:
    """The mean probabilities that images are real and that pairs match, by name.

    Without an unconditional head, the confidence in generated images comes from their conditional logits.
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
