"""The losses of one scale with a condition: is the image real, and does it match the condition.

Source: StackGAN++, "Joint conditional and unconditional distribution approximation"; the mismatched pairs are those of
StackGAN-v1 and of the released code.
"""

from typing import NamedTuple

from keras import KerasTensor, ops

from stackgan_tf.losses.adversarial import binary_cross_entropy
from stackgan_tf.losses.groups import share_group


class Logits(NamedTuple):
    """The logits of a discriminator for a batch of images, each `[N]`.

    Attributes:
        conditional_logits: logits of image and condition together; None without a condition.
        unconditional_logits: logits of the image alone; None where only the condition was exchanged.
    """

    conditional_logits: KerasTensor | None
    unconditional_logits: KerasTensor | None = None


def joint_discriminator_loss(
    real: Logits,
    mismatched: Logits,
    generated: Logits,
    mismatched_rows: KerasTensor,
    real_target: float = 1.0,
    has_condition: KerasTensor | float = 1.0,
    *,
    conditional_weight: float = 1.0,
    unconditional_weight: float = 1.0,
    mismatched_weight: float = 1.0,
    generated_weight: float = 1.0,
    mismatched_real_weight: float = 1.0,
) -> KerasTensor:
    """L_D of one scale. The release, where it has no unconditional terms, halves two of the conditional ones.

    Args:
        real: logits of real images with their conditions; without unconditional logits there are no unconditional
            terms.
        mismatched: logits of real images with conditions of others; with unconditional logits if the images were
            exchanged.
        generated: logits of generated images with their conditions.
        mismatched_rows: float `[N]`, 1 where a pair is mismatched, 0 where no partner was found: such a row adds
            nothing.
        real_target: 1 in the paper; below 1 for one-sided label smoothing (not in the paper).
        has_condition: float `[N]`, 0 where an image has no condition: such a row adds to unconditional terms alone.
        conditional_weight: of all terms of the conditional logits.
        unconditional_weight: of all terms of the unconditional logits.
        mismatched_weight: of mismatched pairs, within the conditional terms.
        generated_weight: of generated images, within the conditional terms.
        mismatched_real_weight: of calling mismatched images, which are real, real, within the unconditional terms.

    Returns:
        A float32 scalar.
    """
    conditional = (
        binary_cross_entropy(real.conditional_logits, real_target, has_condition)
        + mismatched_weight * binary_cross_entropy(mismatched.conditional_logits, 0.0, mismatched_rows * has_condition)
        + generated_weight * binary_cross_entropy(generated.conditional_logits, 0.0, has_condition)
    )
    if real.unconditional_logits is None:
        return conditional_weight * conditional
    unconditional = binary_cross_entropy(real.unconditional_logits, real_target) + binary_cross_entropy(
        generated.unconditional_logits, 0.0
    )
    if mismatched.unconditional_logits is not None:
        unconditional += mismatched_real_weight * binary_cross_entropy(
            mismatched.unconditional_logits, real_target, mismatched_rows
        )
    return conditional_weight * conditional + unconditional_weight * unconditional


def joint_generator_loss(
    generated: Logits,
    has_condition: KerasTensor | float = 1.0,
    *,
    conditional_weight: float = 1.0,
    unconditional_weight: float = 1.0,
) -> KerasTensor:
    """L_G of one scale in its non-saturating form: the discriminator is to call generated images real and matching."""
    conditional = binary_cross_entropy(generated.conditional_logits, 1.0, has_condition)
    if generated.unconditional_logits is None:
        return conditional_weight * conditional
    return conditional_weight * conditional + unconditional_weight * binary_cross_entropy(
        generated.unconditional_logits, 1.0
    )


def partners(labels: KerasTensor, has_condition: KerasTensor | None = None) -> tuple[KerasTensor, KerasTensor]:
    """Finds for each row of a batch the next row of another class with a caption, which does not match its image.

    Args:
        labels: classes, int `[N]`; or groups, int `[N, G]`, see `share_group`.
        has_condition: float `[N]`, 0 where an image has no condition; None: each has one.

    Returns:
        Rows, int32 `[N]`, and float32 `[N]`: 1, or 0 where the batch has no such row.
    """
    count = ops.shape(labels)[0]
    shifted = (ops.arange(count)[:, None] + ops.arange(count)[None, :]) % count  # [N, N]: row i + shift j
    different = ops.logical_not(ops.take_along_axis(share_group(labels), shifted, axis=1))
    if has_condition is not None:
        different = ops.logical_and(different, ops.take(has_condition, shifted) > 0)
    first = ops.argmax(ops.cast(different, 'int32'), axis=1)  # 0, the row itself, if there is none
    rows = (ops.arange(count) + ops.cast(first, 'int32')) % count
    return rows, ops.cast(ops.any(different, axis=1), 'float32')
