"""The adversarial losses of one discriminator, from logits (StackGAN++, section "StackGAN-v2")."""

from keras import KerasTensor, ops


def binary_cross_entropy(logits: KerasTensor, target: float, row_weights: KerasTensor | float = 1.0) -> KerasTensor:
    """Mean cross-entropy between the sigmoid of `logits` and a constant target.

    Args:
        logits: `[N]`, any float type; computed in float32.
        target: in [0, 1].
        row_weights: `[N]`; the mean is over all rows, whatever their weights.

    Returns:
        A float32 scalar, `mean(w * (softplus(l) - target * l))`.
    """
    logits = ops.cast(logits, 'float32')
    return ops.mean(row_weights * (ops.softplus(logits) - target * logits))


def discriminator_loss(
    real_logits: KerasTensor, generated_logits: KerasTensor, real_target: float = 1.0
) -> KerasTensor:
    """L_D of one scale: the discriminator is to call real images real and generated ones generated.

    Args:
        real_logits: logits of real images, `[N]`.
        generated_logits: logits of generated images, `[N]`.
        real_target: 1 in the paper; below 1 for one-sided label smoothing (not in the paper).

    Returns:
        A float32 scalar.
    """
    return binary_cross_entropy(real_logits, real_target) + binary_cross_entropy(generated_logits, 0.0)


def generator_loss(generated_logits: KerasTensor) -> KerasTensor:
    """L_G of one scale in its non-saturating form: the discriminator is to call generated images real."""
    return binary_cross_entropy(generated_logits, 1.0)
