"""The training data that StackGAN's authors released: image names of each split, and embeddings of their captions.

A folder (`birds/`, `flowers/`, `coco/`) with `train/filenames.pickle`, `train/char-CNN-RNN-embeddings.pickle`, and the
same in `test/`. The embeddings are by the encoder of Reed et al., in the order of the names.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from stackgan_tf.data.published.archives import near
from stackgan_tf.data.published.caption_release import Naming
from stackgan_tf.formats.pickles import read_pickle, text
from stackgan_tf.system.console import printable, say
from stackgan_tf.system.errors import UserError

SPLITS = ('train', 'test')
NAMES = 'filenames.pickle'
EMBEDDINGS = 'char-CNN-RNN-embeddings.pickle'
DIMENSION = 1024  # of an embedding


@dataclasses.dataclass(frozen=True)
class StackganRelease:
    """The release for one data set.

    Attributes:
        folder: that has its `train/` and `test/`.
        names: of the images of each split, in the order of the file; None for an entry that does not name an image.
    """

    folder: Path
    names: Mapping[str, Sequence[str | None]]

    def embedded(self) -> list[str]:
        """The splits that have embeddings."""
        return [split for split in self.names if (self.folder / split / EMBEDDINGS).is_file()]

    def embeddings(self, split: str, captions: int) -> dict[str, np.ndarray]:
        """The embeddings of a split, all in memory.

        Args:
            split: one of `embedded()`.
            captions: K, how many captions each image has.

        Returns:
            float32 `[K, 1024]` by name of the image.

        Raises:
            UserError: the file is broken, or the embeddings have another number or shape.
        """
        path = self.folder / split / EMBEDDINGS
        found, names = read_pickle(path), self.names[split]
        if not isinstance(found, list | tuple | np.ndarray) or len(found) != len(names):
            raise UserError(f'{path} does not hold embeddings of the {len(names):,} images that {NAMES} names')
        rows = {}
        for name, row in zip(names, found, strict=True):
            shape = getattr(row, 'shape', None)
            if shape != (captions, DIMENSION):
                raise UserError(
                    f'{path} has embeddings of shape {shape} for {printable(str(name))}, not {(captions, DIMENSION)}'
                )
            if name is not None:
                rows[name] = row.astype(np.float32, copy=False)
        return rows


def find_release(folder: Path, naming: Naming) -> StackganRelease | None:
    """The release for a data set in the user's folder, or up to two levels deeper; None if there is none.

    Among several, the one with the most embeddings: others published the same names with other data.
    """
    found = []
    for path in near(folder, f'{SPLITS[0]}/{NAMES}'):
        root = path.parents[1]
        there = [split for split in SPLITS if (root / split / NAMES).is_file()]
        try:
            names = {split: _names(root / split / NAMES, naming) for split in there}
        except UserError as error:  # it may be another data set's
            say(f'{error}: it is passed over')
            continue
        if any(name is not None for name in names[SPLITS[0]]):
            found.append(StackganRelease(root, names))
    return max(found, key=lambda release: len(release.embedded()), default=None)


def _names(path: Path, naming: Naming) -> list[str | None]:
    found = read_pickle(path)
    if not isinstance(found, list | tuple | np.ndarray):
        raise UserError(f'{path} is not a list of names')
    return [naming.of(text(name)) if isinstance(name, str | bytes) else None for name in found]
