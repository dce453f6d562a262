"""What a client asks for: pictures with their names, within limits, cut into requests."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from stackgan_tf.system.errors import UserError

LONGEST_CAPTION = 1000  # characters; the model reads fewer and ignores the rest
MOST_IMAGES = 1000

ImageRequest = tuple[str, int, str, bytes | int | None]  # the name of a picture, its seed, and an input with its value


def requested_images(captions: Sequence[str], labels: Sequence[int], count: int, seed: int) -> list[ImageRequest]:
    """The pictures of some captions or classes, or of seeds alone.

    Args:
        captions: each is drawn `count` times.
        labels: the same.
        count: seeds of each.
        seed: the first.

    Raises:
        UserError: they are both, too many, or a caption is too long.
    """
    if captions and labels:
        raise UserError('a model reads captions or labels: leave out --caption or --label')
    for caption in captions:
        if len(caption) > LONGEST_CAPTION:
            raise UserError(f'a caption has {len(caption)} characters: shorten it to {LONGEST_CAPTION}')
    told: list[tuple[str, str, bytes | int | None]] = [('', '', None)]
    if captions:
        told = [
            (f'caption_{row:03d}_', 'caption', text.encode('utf-8', 'replace')) for row, text in enumerate(captions)
        ]
    elif labels:
        told = [(f'class_{row:03d}_', 'label', label) for row, label in enumerate(labels)]
    if len(told) * count > MOST_IMAGES:
        raise UserError(f'{len(told) * count} pictures are too many: ask for {MOST_IMAGES} at most')
    seeds = range(seed, seed + count)
    return [
        (f'{name}seed_{each:06d}.png', each, field, value)
        for (name, field, value), each in itertools.product(told, seeds)
    ]


def requests_of(asked: Sequence[ImageRequest], batch: int) -> Iterator[tuple[list[str], dict[str, np.ndarray]]]:
    """Cuts what is asked into requests of at most `batch` rows: names, and the inputs of `serving_default`."""
    for first in range(0, len(asked), batch):
        names, seeds, inputs, values = zip(*asked[first : first + batch], strict=True)
        told = {inputs[0]: np.array(values)} if inputs[0] else {}
        yield list(names), {**told, 'seed': np.array(seeds, np.int64)}
