"""The regularization of conditioning augmentation (StackGAN++, section "Conditioning augmentation")."""

from keras import KerasTensor, ops


def kl_loss(mu: KerasTensor, log_variance: KerasTensor) -> KerasTensor:
    """The Kullback-Leibler divergence of N(mu, sigma^2) from N(0, I), averaged over rows and dimensions.

    The paper sums over dimensions; the released code takes this mean with weight 2.

    Args:
        mu: `[N, E]`.
        log_variance: log sigma^2, `[N, E]`.

    Returns:
        A float32 scalar.
    """
    mu, log_variance = ops.cast(mu, 'float32'), ops.cast(log_variance, 'float32')
    return 0.5 * ops.mean(ops.square(mu) + ops.exp(log_variance) - 1.0 - log_variance)
