"""Writes images directly into the files of a TFDS data set, in the order in which they come.

TFDS's usual writer shuffles: it holds up to 1,000 MiB in memory, and then writes everything twice, through 1,000 open
files. Where images already come in an arbitrary order, a `ShardBasedBuilder` avoids this.
"""

import contextlib
import contextvars
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from stackgan_tf.data.published.split_sizes import compare
from stackgan_tf.system.errors import UserError

Example = tuple[str, dict[str, Any]]

# TFDS holds a file's examples in memory until it is written, and readers keep all the files open.
_FILE_BYTES = 128 << 20

_most: contextvars.ContextVar[int | None] = contextvars.ContextVar('most', default=None)


@contextlib.contextmanager
def at_most(examples: int | None) -> Iterator[None]:
    """Limits the examples of each split in preparation, which TFDS does not support for this kind of builder."""
    token = _most.set(examples)
    try:
        yield
    finally:
        _most.reset(token)


def in_files(examples: Iterable[Example], count: int, size: int) -> list[Callable[[], Iterator[Example]]]:
    """Distributes a stream of examples over files, for `ShardBasedBuilder._shard_iterators_per_split`.

    Args:
        examples: key, features. TFDS writes one file after the other, so one pass through them is enough.
        count: how many there are; some may be left out on the way.
        size: bytes of them all.

    Returns:
        For each file, a function that yields its examples.
    """
    stream = iter(examples)
    most = _most.get()
    if most is not None and most < count:
        return [functools.partial(itertools.islice, stream, most)]
    files = max(1, min(count, round(size / _FILE_BYTES)))
    share = -(-count // files)
    # The last file takes all that is left, so that the stream reaches its end.
    return [*[functools.partial(itertools.islice, stream, share)] * (files - 1), functools.partial(iter, stream)]


def counted(examples: Iterable[Example], title: str, split: str, expected: int | None) -> Iterator[Example]:
    """Passes examples on; at their end, prints a message if their number differs from the paper's.

    Args:
        examples: key, features.
        title: of the data set.
        split: of the data set.
        expected: how many the paper has; None if it does not say.

    Yields:
        The examples.

    Raises:
        UserError: there was no example.
    """
    found = 0
    for example in examples:
        found += 1
        yield example
    if not found:
        raise UserError(f'{title} has no usable image in {split}')
    if expected is not None:
        compare(f'{title}: images', split, found, expected)
