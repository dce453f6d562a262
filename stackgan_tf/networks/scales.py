"""The scales of the tree: the image sizes that a model may have, from one formula."""

import itertools
from collections.abc import Sequence
from typing import Literal, get_args

SMALLEST_SIZE = 8
MOST_SCALES = 5
BranchImages = Literal['own_size', 'last_size', 'last_alone']
BRANCH_IMAGES = get_args(BranchImages)
SEED_SIZE = 4  # the spatial size that every generator starts from and every discriminator ends at


def check_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Returns `sizes` as a tuple if they are one to five powers of two from 8 up, each twice the one before.

    Raises:
        ValueError: the sizes are others; the message names the mistake and an example of what works.
    """
    sizes = tuple(sizes)
    example = 'for example SIZES = (64, 128, 256)'
    if not 1 <= len(sizes) <= MOST_SCALES:
        raise ValueError(f'SIZES = {sizes} has {len(sizes)} scales, 1 to {MOST_SCALES} are possible: {example}')
    if sizes[0] < SMALLEST_SIZE:
        raise ValueError(f'SIZES = {sizes} starts at {sizes[0]} pixels, the smallest is {SMALLEST_SIZE}: {example}')
    if sizes[0] & (sizes[0] - 1):
        raise ValueError(f'SIZES = {sizes} starts at {sizes[0]} pixels, which is not a power of two: {example}')
    for small, large in itertools.pairwise(sizes):
        if large != 2 * small:
            raise ValueError(f'SIZES = {sizes} must double: after {small} comes {2 * small}, not {large}; {example}')
    return sizes


def image_sizes(sizes: tuple[int, ...], branch_images: str) -> tuple[int, ...]:
    """Sizes of the images of a tree's last branches, as in StackGAN++, table 5.

    Args:
        sizes: sizes of the branches' features, small to large.
        branch_images: `'own_size'`, every branch at its own (the paper's StackGAN-v2); `'last_size'`, every branch at
            the last one's (all256); `'last_alone'`, only the last branch has an image (G3).

    Raises:
        ValueError: `branch_images` is none of these.
    """
    if branch_images not in BRANCH_IMAGES:
        raise ValueError(f'branch_images = {branch_images!r} must be {" or ".join(map(repr, BRANCH_IMAGES))}')
    return {'own_size': sizes, 'last_size': sizes[-1:] * len(sizes), 'last_alone': sizes[-1:]}[branch_images]


def doublings(size: int) -> int:
    """How many doublings lead from 4x4 to `size`."""
    return (size // SEED_SIZE).bit_length() - 1
