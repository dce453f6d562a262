"""What keeps conditioning augmentation smooth (StackGAN++, section "Conditioning augmentation")."""

from keras import KerasTensor, ops


def kl_loss(mu: KerasTensor, log_variance: KerasTensor) -> KerasTensor:
    """The Kullback-Leibler divergence of N(mu, sigma^2) from N(0, I), the mean over rows and dimensions.

    The paper sums over dimensions; the released code takes this mean, and weighs it with 2.

    Args:
        mu: `[N, E]`.
        log_variance: log sigma^2, `[N, E]`.

    Returns:
        float32 scalar.
    """
    mu, log_variance = ops.cast(mu, 'float32'), ops.cast(log_variance, 'float32')
    return 0.5 * ops.mean(ops.square(mu) + ops.exp(log_variance) - 1.0 - log_variance)
