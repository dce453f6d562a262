"""The requests of a client: named images, within limits, split into batches."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from stackgan_tf.system.errors import UserError

LONGEST_CAPTION = 1000  # characters; the model truncates it further
MOST_IMAGES = 1000
LARGEST_NUMBER = 2**62  # int64, with room for the seeds of a load test

ImageRequest = tuple[str, int, str, bytes | int | None]  # file name, seed, name of the condition input, its value


def requested_images(captions: Sequence[str], labels: Sequence[int], count: int, seed: int) -> list[ImageRequest]:
    """Lists the images to request: of captions, of classes, or of seeds alone.

    Args:
        captions: each gives `count` images.
        labels: each gives `count` images.
        count: number of seeds.
        seed: the first seed.

    Raises:
        UserError: there are both captions and labels, too many images, a caption is too long, or a seed or label too
            large.
    """
    if captions and labels:
        raise UserError('a model reads captions or labels: leave out --caption or --label')
    for caption in captions:
        if len(caption) > LONGEST_CAPTION:
            raise UserError(f'a caption has {len(caption)} characters: shorten it to {LONGEST_CAPTION}')
    conditions: list[tuple[str, str, bytes | int | None]] = [('', '', None)]
    if captions:
        conditions = [
            (f'caption_{row:03d}_', 'caption', text.encode('utf-8', 'replace')) for row, text in enumerate(captions)
        ]
    elif labels:
        conditions = [(f'class_{row:03d}_', 'label', label) for row, label in enumerate(labels)]
    if len(conditions) * count > MOST_IMAGES:
        raise UserError(f'{len(conditions) * count} images are too many: request {MOST_IMAGES} at most')
    for value in (seed, *labels):
        if not 0 <= value <= LARGEST_NUMBER:
            raise UserError(f'a seed or label is not from 0 to {LARGEST_NUMBER}, which leaves room for further seeds')
    seeds = range(seed, seed + count)
    return [
        (f'{name}seed_{each:06d}.png', each, field, value)
        for (name, field, value), each in itertools.product(conditions, seeds)
    ]


def requests_of(requested: Sequence[ImageRequest], batch: int) -> Iterator[tuple[list[str], dict[str, np.ndarray]]]:
    """Splits images into requests of at most `batch` rows: file names, and the inputs of `serving_default`."""
    for first in range(0, len(requested), batch):
        names, seeds, inputs, values = zip(*requested[first : first + batch], strict=True)
        condition = {inputs[0]: np.array(values)} if inputs[0] else {}
        yield list(names), {**condition, 'seed': np.array(seeds, np.int64)}
