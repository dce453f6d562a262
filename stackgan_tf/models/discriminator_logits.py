"""What discriminators say of images, of both StackGANs, and how sure they are."""

import keras
import tensorflow as tf

from stackgan_tf.losses.joint_conditional import Logits


def logits_of(discriminator: keras.Model, image: tf.Tensor, told: tf.Tensor | None, training: bool = True) -> Logits:
    """What a discriminator says of images `[n, s, s, 3]` and what it is told."""
    return judged(discriminator, discriminator.features(image, training=training), told, training)


def judged(discriminator: keras.Model, features: tf.Tensor, told: tf.Tensor | None, training: bool = True) -> Logits:
    """The same, of images whose features it has made."""
    match = discriminator.match(features, told, training=training) if told is not None else None
    return Logits(match, discriminator.realness(features) if discriminator.unconditional else None)


def confidences_of(real: Logits, mismatched: Logits | None, generated: Logits) -> dict[str, tf.Tensor]:
    """How sure a discriminator is that images are real, and that real ones match; means over the rows.

    Without an unconditional head, generated images are those that it takes for matching.
    """
    of_kind = {'generated': generated.match if generated.realness is None else generated.realness}
    if real.realness is not None:
        of_kind['real'] = real.realness
    if real.match is not None:
        of_kind['match'] = real.match
    if mismatched is not None:
        of_kind['mismatch'] = mismatched.match
    return {f'confidence_{kind}': tf.reduce_mean(tf.sigmoid(logits)) for kind, logits in of_kind.items()}
