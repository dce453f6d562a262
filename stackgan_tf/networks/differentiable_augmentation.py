"""Differentiable augmentation: random changes to the inputs of a discriminator, real and generated alike.

Not in the paper. It keeps discriminators from memorizing a small data set, and since gradients pass through it the
generator does not learn the changes. Source: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training"
(arXiv 2006.10738), section 3 and its released strengths.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import keras
from keras import ops

Augmentation = Literal['color', 'translation', 'cutout']
DRAWS = 7  # random numbers per image
SHIFT = 0.125  # the largest translation, as a share of the side
CUTOUT = 0.5  # side of the cutout square, as a share of the image's side


def augment(images: keras.KerasTensor, draws: keras.KerasTensor, policy: Sequence[str]) -> keras.KerasTensor:
    """Changes each image by its own random numbers.

    Args:
        images: float32 `[N, s, s, 3]` in [-1, 1].
        draws: float32 `[N, DRAWS]` uniform in [0, 1). The same draws change two images in the same way.
        policy: names out of 'color' (brightness, saturation, contrast), 'translation' (filled with gray) and 'cutout'
            (a gray square); an empty policy changes nothing.

    Returns:
        float32 `[N, s, s, 3]`; colors may leave [-1, 1].

    Raises:
        ValueError: the policy has an unknown name.
    """
    unknown = [name for name in policy if name not in POLICIES]
    if unknown:
        raise ValueError(f'no augmentation {unknown[0]!r}: there are {", ".join(POLICIES)}')
    for name in policy:
        first, last, change = POLICIES[name]
        images = change(images, draws[:, first:last])
    return images


def _color(images: keras.KerasTensor, draws: keras.KerasTensor) -> keras.KerasTensor:
    brightness, saturation, contrast = (draws[:, i, None, None, None] for i in range(3))
    images = images + (brightness - 0.5)
    gray = ops.mean(images, axis=3, keepdims=True)
    images = gray + (images - gray) * (2.0 * saturation)
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + (images - mean) * (contrast + 0.5)


def _translation(images: keras.KerasTensor, draws: keras.KerasTensor) -> keras.KerasTensor:
    size = images.shape[1]
    reach = round(SHIFT * size)
    shifts = ops.cast(ops.floor(draws * (2 * reach + 1)), 'int32') - reach  # [N, 2], from -reach to reach
    # Row i of the result is row i + shift of the image, or gray: a matrix of zeros and ones picks it.
    sources = ops.arange(size, dtype='int32') + shifts[..., None]  # [N, 2, s]
    picks = ops.cast(sources[..., None] == ops.arange(size, dtype='int32'), images.dtype)  # [N, 2, s, s]
    images = ops.einsum('nij,njwc->niwc', picks[:, 0], images)
    return ops.einsum('nij,nhjc->nhic', picks[:, 1], images)


def _cutout(images: keras.KerasTensor, draws: keras.KerasTensor) -> keras.KerasTensor:
    size = images.shape[1]
    side = int(CUTOUT * size + 0.5)
    # The center of the square is anywhere in the image, so a part of it may lie outside.
    first = ops.cast(ops.floor(draws * (size + 1 - side % 2)), 'int32') - side // 2  # [N, 2]
    places = ops.arange(size, dtype='int32')
    inside = ops.logical_and(places >= first[..., None], places < first[..., None] + side)  # [N, 2, s]
    square = ops.logical_and(inside[:, 0, :, None], inside[:, 1, None, :])  # [N, s, s]
    return images * ops.cast(ops.logical_not(square), images.dtype)[..., None]


# For each change: its first draw, the one after its last, and the function.
POLICIES: dict[str, tuple[int, int, Callable[..., keras.KerasTensor]]] = {
    'color': (0, 3, _color),
    'translation': (3, 5, _translation),
    'cutout': (5, 7, _cutout),
}
