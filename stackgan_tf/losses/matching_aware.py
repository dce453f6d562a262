"""StackGAN-v1's adversarial losses: the discriminator is told whether images match (StackGAN++, section "StackGAN-v1").

All released forms are one rule: the mean of the cross-entropies of what is to be called real, plus the mean of those of
what is to be called false. With a text and no unconditional head that is 1 for real images and 1/2 each for mismatched
and generated ones; with that head (the later code's Stage-II) 1/2 each and 1/3 each. `joint_conditional.TermWeights`
expresses the first but not the second, and its loss needs both heads, so v1 has its own.
"""

from keras import KerasTensor

from stackgan_tf.losses.adversarial import binary_cross_entropy
from stackgan_tf.losses.joint_conditional import Logits


def matching_aware_discriminator_loss(
    real: Logits,
    mismatched: Logits | None,
    generated: Logits,
    mismatched_rows: KerasTensor | float = 1.0,
    real_target: float = 1.0,
    has_condition: KerasTensor | float = 1.0,
) -> KerasTensor:
    """L_D of one stage; heads whose logits are none are left out, with both terms of them.

    Args:
        real: of real images with their conditions.
        mismatched: of real images with conditions of others; only its `match` counts. None: there are no such pairs.
        generated: of generated images with their conditions.
        mismatched_rows: float `[N]`, 1 where a pair is mismatched, 0 where no partner was found: such a row adds
            nothing.
        real_target: 1 in the paper; below 1 for one-sided label smoothing (not in the paper).
        has_condition: float `[N]`, 0 where an image has no condition: such a row adds to unconditional terms alone.

    Returns:
        float32 scalar.
    """
    called_real, called_false = [], []
    if real.conditional_logits is not None:
        called_real.append(binary_cross_entropy(real.conditional_logits, real_target, has_condition))
        called_false.append(binary_cross_entropy(generated.conditional_logits, 0.0, has_condition))
        if mismatched is not None:
            called_false.append(
                binary_cross_entropy(mismatched.conditional_logits, 0.0, mismatched_rows * has_condition)
            )
    if real.unconditional_logits is not None:
        called_real.append(binary_cross_entropy(real.unconditional_logits, real_target))
        called_false.append(binary_cross_entropy(generated.unconditional_logits, 0.0))
    return sum(called_real) / len(called_real) + sum(called_false) / len(called_false)


def matching_aware_generator_loss(generated: Logits, has_condition: KerasTensor | float = 1.0) -> KerasTensor:
    """L_G of one stage in its non-saturating form: every head is to call generated images real, each with weight 1."""
    heads = []
    if generated.conditional_logits is not None:
        heads.append(binary_cross_entropy(generated.conditional_logits, 1.0, has_condition))
    if generated.unconditional_logits is not None:
        heads.append(binary_cross_entropy(generated.unconditional_logits, 1.0))
    return sum(heads)
