"""StackGAN-v1's adversarial losses with the matching-aware discriminator (StackGAN++, section "StackGAN-v1").

All released forms follow one rule: the mean of the cross-entropies with target real, plus the mean of those with target
false. With a text and no unconditional head the weights are 1 for real images and 1/2 each for mismatched and generated
ones; with that head (the later code's Stage-II) they are 1/2 each and 1/3 each. The weights of
`joint_discriminator_loss` express the first but not the second, and that loss needs both heads, so v1 has its own.
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
    """L_D of one stage; a head whose logits are None is left out, with all of its terms.

    Args:
        real: logits of real images with their conditions.
        mismatched: logits of real images with conditions of others; its unconditional logits are ignored. None: there
            are no such pairs.
        generated: logits of generated images with their conditions.
        mismatched_rows: float `[N]`, 1 where a pair is mismatched, 0 where no partner was found: such a row adds
            nothing.
        real_target: 1 in the paper; below 1 for one-sided label smoothing (not in the paper).
        has_condition: float `[N]`, 0 where an image has no condition: such a row adds to unconditional terms alone.

    Returns:
        A float32 scalar.
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
    """L_G of one stage in its non-saturating form: every head is to call generated images real, with weight 1 each."""
    heads = []
    if generated.conditional_logits is not None:
        heads.append(binary_cross_entropy(generated.conditional_logits, 1.0, has_condition))
    if generated.unconditional_logits is not None:
        heads.append(binary_cross_entropy(generated.unconditional_logits, 1.0))
    return sum(heads)
