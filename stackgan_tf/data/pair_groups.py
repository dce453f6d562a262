"""The groups of examples that are never mismatched pairs: those of one class, and those that share a caption."""

import numpy as np


def pair_groups(labels: np.ndarray, texts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The class of each example, and the captions that examples of other classes have too.

    Without the latter, an image and its own caption would count as a mismatch. Case and spaces make no difference.

    Args:
        labels: int32 `[count]`, the classes.
        texts: bytes objects `[R]`, all captions in the order of the examples; an empty one is none.
        counts: int64 `[count]`, how many captions each example has.

    Returns:
        int32 `[count, 1 + K]`, where K is the most of such captions that an example has: the class, then a number for
        each caption; the rest is filled with numbers that no other example has. Plain `labels` if there are none.
    """
    numbers: dict[bytes, int] = {}
    caption = np.array([numbers.setdefault(b' '.join(text.lower().split()), len(numbers)) for text in texts], np.int64)
    owner = np.repeat(np.arange(len(labels)), counts)[caption != numbers.get(b'', -1)]
    caption = caption[caption != numbers.get(b'', -1)]
    lowest, highest = np.full(len(numbers), np.iinfo(np.int64).max), np.full(len(numbers), -1)
    np.minimum.at(lowest, caption, labels[owner])
    np.maximum.at(highest, caption, labels[owner])
    shared = (lowest < highest)[caption]  # by examples of several classes
    pairs = np.unique(np.stack([owner[shared], caption[shared]], axis=1), axis=0)
    if not len(pairs):
        return labels
    first = np.searchsorted(pairs[:, 0], pairs[:, 0])
    column = np.arange(len(pairs)) - first
    groups = -1 - np.arange(len(labels) * (column.max() + 1), dtype=np.int64).reshape(len(labels), -1)
    groups[pairs[:, 0], column] = labels.max() + 1 + pairs[:, 1]
    return np.concatenate([labels[:, None], groups], axis=1).astype(np.int32)
