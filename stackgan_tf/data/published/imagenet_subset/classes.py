"""The classes of ILSVRC 2012 that are dogs, and those that are cats."""

import tensorflow_datasets as tfds

# Positions among the 1,000 classes, sorted by their WordNet ids, and the first and the last id there.
_SUBSETS = {
    'dog': (slice(151, 269), 'n02085620', 'n02113978'),
    'cat': (slice(281, 286), 'n02123045', 'n02124075'),
}


def class_ids(subset: str) -> list[str]:
    """The WordNet ids of a subset's classes, sorted.

    They are the classes in the released code's lists that exist in ILSVRC 2012: 118 breeds of dogs (no wolves, dingos
    or dholes), 5 kinds of cats.

    Args:
        subset: `dog` or `cat`.
    """
    places, first, last = _SUBSETS[subset]
    everything = tfds.core.tfds_path('datasets/imagenet2012/labels.txt').read_text().split()
    ids = sorted(everything)[places]
    assert (ids[0], ids[-1]) == (first, last)
    return ids
