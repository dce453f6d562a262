"""Color-consistency regularization between neighboring scales (StackGAN++, section of that name)."""

import itertools
from collections.abc import Sequence

from keras import KerasTensor, ops


def color_statistics(images: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """Mean `[N, 3]` and covariance `[N, 3, 3]` (divisor H*W) of the colors of each image `[N, H, W, 3]`."""
    pixels = ops.reshape(images, (-1, images.shape[1] * images.shape[2], 3))
    mean = ops.mean(pixels, axis=1, keepdims=True)
    centered = pixels - mean
    covariance = ops.matmul(ops.transpose(centered, (0, 2, 1)), centered) / pixels.shape[1]
    return mean[:, 0], covariance


def color_consistency_loss(
    images: Sequence[KerasTensor], mean_weight: float = 1.0, covariance_weight: float = 5.0, norm: str = 'released'
) -> KerasTensor:
    """L_C: differences in color mean and covariance between images of neighboring scales.

    Gradients reach the finer image of a pair only; the coarser one counts as constant. As in the released code the
    last three scales, that is the last two pairs, are compared.

    Args:
        images: `[N, s, s, 3]` in [-1, 1], small to large.
        mean_weight: lambda_1.
        covariance_weight: lambda_2.
        norm: `'released'` for the mean squared difference over all elements, which the released weights were trained
            with; `'paper'` for the squared norm of each image, averaged over the batch: 3 times the former for means,
            9 times for covariances.

    Returns:
        A float32 scalar; 0 for a single scale. The paper multiplies it by alpha (50 unconditional).

    Raises:
        ValueError: `norm` is neither of these.
    """
    if norm not in ('released', 'paper'):
        raise ValueError(f"the norm of the color loss is 'released' or 'paper', not {norm!r}")
    mean_factor, covariance_factor = (1.0, 1.0) if norm == 'released' else (3.0, 9.0)
    statistics = [color_statistics(ops.cast(image, 'float32')) for image in images[-3:]]
    loss = ops.zeros((), 'float32')
    for coarse, fine in itertools.pairwise(statistics):
        mean, covariance = (ops.stop_gradient(statistic) for statistic in coarse)
        loss += mean_weight * mean_factor * ops.mean(ops.square(fine[0] - mean))
        loss += covariance_weight * covariance_factor * ops.mean(ops.square(fine[1] - covariance))
    return loss
