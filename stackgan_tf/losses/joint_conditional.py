"""The losses of one scale with a condition: is the image real, and does it go with the condition.

Source: StackGAN++, "Joint conditional and unconditional distribution approximation"; the mismatched pairs are those of
StackGAN-v1 and of the released code.
"""

import dataclasses
from typing import NamedTuple

from keras import KerasTensor, ops

from stackgan_tf.losses.adversarial import binary_cross_entropy


class Logits(NamedTuple):
    """What a discriminator says of some images, each `[N]`.

    Attributes:
        match: of image and condition together; none where nothing is told.
        realness: of the image alone; none where only the condition was exchanged.
    """

    conditional_logits: KerasTensor | None
    unconditional_logits: KerasTensor | None = None


@dataclasses.dataclass(frozen=True)
class TermWeights:
    """The weights of the terms. The defaults are the release's, which without unconditional terms halves two of them.

    Attributes:
        conditional: of all terms of `match`.
        unconditional: of all terms of `realness`.
        mismatched: of mismatched pairs, within the conditional terms.
        generated: of generated images, within the conditional terms.
        mismatched_real: of mismatched images being real all the same, within the unconditional terms.
    """

    conditional: float = 1.0
    unconditional: float = 1.0
    mismatched: float = 1.0
    generated: float = 1.0
    mismatched_real: float = 1.0


def joint_discriminator_loss(
    real: Logits,
    mismatched: Logits,
    generated: Logits,
    mismatched_rows: KerasTensor,
    weights: TermWeights,
    real_target: float = 1.0,
    has_condition: KerasTensor | float = 1.0,
) -> KerasTensor:
    """L_D of one scale.

    Args:
        real: of real images with their conditions; without `realness` there are no unconditional terms.
        mismatched: of real images with conditions of others; with `realness` if the images were exchanged.
        generated: of generated images with their conditions.
        mismatched_rows: float `[N]`, 1 where a pair is mismatched, 0 where no partner was found: such a row adds
            nothing.
        weights: of the terms.
        real_target: 1 in the paper; below 1 for one-sided label smoothing (not in the paper).
        has_condition: float `[N]`, 0 where an image has no condition: such a row adds to unconditional terms alone.

    Returns:
        float32 scalar.
    """
    conditional = (
        binary_cross_entropy(real.conditional_logits, real_target, has_condition)
        + weights.mismatched * binary_cross_entropy(mismatched.conditional_logits, 0.0, mismatched_rows * has_condition)
        + weights.generated * binary_cross_entropy(generated.conditional_logits, 0.0, has_condition)
    )
    if real.unconditional_logits is None:
        return weights.conditional * conditional
    unconditional = binary_cross_entropy(real.unconditional_logits, real_target) + binary_cross_entropy(
        generated.unconditional_logits, 0.0
    )
    if mismatched.unconditional_logits is not None:
        unconditional += weights.mismatched_real * binary_cross_entropy(
            mismatched.unconditional_logits, real_target, mismatched_rows
        )
    return weights.conditional * conditional + weights.unconditional * unconditional


def joint_generator_loss(
    generated: Logits, weights: TermWeights, has_condition: KerasTensor | float = 1.0
) -> KerasTensor:
    """L_G of one scale in its non-saturating form: generated images are to be called real, and matching."""
    conditional = binary_cross_entropy(generated.conditional_logits, 1.0, has_condition)
    if generated.unconditional_logits is None:
        return weights.conditional * conditional
    return weights.conditional * conditional + weights.unconditional * binary_cross_entropy(
        generated.unconditional_logits, 1.0
    )


def partners(labels: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """For each row of a batch the next row of another class, whose caption does not go with its image.

    Args:
        labels: int `[N]`.

    Returns:
        Rows, int32 `[N]`, and float32 `[N]`: 1, or 0 where the whole batch is of one class.
    """
    count = ops.shape(labels)[0]
    shifted = (ops.arange(count)[:, None] + ops.arange(count)[None, :]) % count  # [N, N]: row i + shift j
    different = ops.take(labels, shifted) != labels[:, None]
    first = ops.argmax(ops.cast(different, 'int32'), axis=1)  # 0, the row itself, if there is none
    rows = (ops.arange(count) + ops.cast(first, 'int32')) % count
    return rows, ops.cast(ops.any(different, axis=1), 'float32')
