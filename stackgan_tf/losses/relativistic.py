"""The losses of one scale with relativistic pairing: real images are to be more real than generated ones.

Not in the paper. Sources: Jolicoeur-Martineau, "The relativistic discriminator" (arXiv 1807.00734), and Huang et al.,
"The GAN is dead; long live the GAN!" (arXiv 2501.05441), section 2: unlike the paper's loss, this one has no minimum
that drops modes of the data; with the R1 and R2 penalties it converges locally.
"""

from keras import KerasTensor, ops

from stackgan_tf.losses.joint_conditional import Logits


def pairing_loss(more: KerasTensor, less: KerasTensor, row_weights: KerasTensor | float = 1.0) -> KerasTensor:
    """Mean of `softplus(less - more)`: logits of the first kind are to be larger than those of the second.

    Args:
        more: `[N]`, any float type; computed in float32.
        less: `[N]`, each paired with the row of `more`.
        row_weights: `[N]`; the mean is over all rows, whatever their weights.

    Returns:
        A float32 scalar.
    """
    return ops.mean(row_weights * ops.softplus(ops.cast(less, 'float32') - ops.cast(more, 'float32')))


def relativistic_discriminator_loss(
    real: Logits,
    mismatched: Logits | None,
    generated: Logits,
    mismatched_rows: KerasTensor | float = 1.0,
    has_condition: KerasTensor | float = 1.0,
    *,
    conditional_weight: float = 1.0,
    unconditional_weight: float = 1.0,
    mismatched_weight: float = 1.0,
    generated_weight: float = 1.0,
) -> KerasTensor:
    """L_D of one scale; logits that are None have no terms.

    Args:
        real: logits of real images with their conditions.
        mismatched: logits of real images with conditions of others; only their conditional logits count.
        generated: logits of generated images with their conditions.
        mismatched_rows: float `[N]`, 1 where a pair is mismatched, 0 where no partner was found.
        has_condition: float `[N]`, 0 where an image has no condition: such a row adds to unconditional terms alone.
        conditional_weight: of all terms of the conditional logits.
        unconditional_weight: of the term of the unconditional logits.
        mismatched_weight: of mismatched pairs, within the conditional terms.
        generated_weight: of generated images, within the conditional terms.

    Returns:
        A float32 scalar.
    """
    loss = ops.zeros((), 'float32')
    if real.unconditional_logits is not None:
        loss += unconditional_weight * pairing_loss(real.unconditional_logits, generated.unconditional_logits)
    if real.conditional_logits is not None:
        conditional = generated_weight * pairing_loss(
            real.conditional_logits, generated.conditional_logits, has_condition
        )
        if mismatched is not None:
            rows = mismatched_rows * has_condition
            conditional += mismatched_weight * pairing_loss(
                real.conditional_logits, mismatched.conditional_logits, rows
            )
        loss += conditional_weight * conditional
    return loss


def relativistic_generator_loss(
    real: Logits,
    generated: Logits,
    has_condition: KerasTensor | float = 1.0,
    *,
    conditional_weight: float = 1.0,
    unconditional_weight: float = 1.0,
) -> KerasTensor:
    """L_G of one scale: generated images are to be more real, and to match better, than the real ones of their rows.

    Args:
        real: logits of real images with their conditions, as constants.
        generated: logits of generated images with their conditions.
        has_condition: float `[N]`, 0 where an image has no condition: such a row adds to the unconditional term alone.
        conditional_weight: of the term of the conditional logits.
        unconditional_weight: of the term of the unconditional logits.

    Returns:
        A float32 scalar.
    """
    loss = ops.zeros((), 'float32')
    if generated.unconditional_logits is not None:
        loss += unconditional_weight * pairing_loss(generated.unconditional_logits, real.unconditional_logits)
    if generated.conditional_logits is not None:
        loss += conditional_weight * pairing_loss(generated.conditional_logits, real.conditional_logits, has_condition)
    return loss
