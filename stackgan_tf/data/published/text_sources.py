"""The text data of CUB and Oxford-102: captions, splits by class, embeddings.

They must be fetched by hand, because the links are not stable. The splits are those of Reed et al., which have
no class in common; no other split is ever put in their place.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow_datasets as tfds

from stackgan_tf.data.published.archives import user_folder
from stackgan_tf.data.published.caption_release import Naming, read_captions, read_class_lists
from stackgan_tf.data.published.split_sizes import compare
from stackgan_tf.data.published.stackgan_release import EMBEDDINGS, NAMES, SPLITS, StackganRelease, find_release
from stackgan_tf.system.console import printable, say
from stackgan_tf.system.errors import UserError


@dataclasses.dataclass(frozen=True)
class TextSources:
    """The text data that were found.

    Attributes:
        captions: by name of the image.
        splits: by name of the image, if StackGAN's release says so, or by name of its class.
        release: StackGAN's, if it is there.
    """

    captions: Mapping[str, list[str]]
    splits: Mapping[str, str]
    release: StackganRelease | None

    def split_of(self, image: str, class_name: str) -> str | None:
        """The split of an image of a class; None if it is in none."""
        return self.splits.get(image) or self.splits.get(class_name)


def find_text_sources(
    downloads: tfds.download.DownloadManager, naming: Naming, classes: Mapping[str, int], embedded: bool
) -> TextSources:
    """Finds text data in the user's folder, and in the folders and archives inside it.

    Args:
        downloads: of the preparation.
        naming: of the data set.
        classes: how many classes each of the paper's splits has.
        embedded: whether embeddings are needed; then captions are not.

    Raises:
        UserError: something is missing or broken; the message says which file to put where.
    """
    folder = user_folder(
        downloads, f'put {naming.archives[0]} of Reed et al. there (see the README.md of {naming.title})'
    )
    release = find_release(folder, naming)
    if embedded and (release is None or release.embedded() != list(SPLITS)):
        raise UserError(
            f'{naming.title}: no embeddings in {folder}: put the folder of StackGAN there, unpacked, '
            f'with {NAMES} and {EMBEDDINGS} in its train/ and its test/'
        )
    splits = _released_splits(release) if release else {}
    splits = splits or _class_splits(folder, naming, classes)
    captions = read_captions(folder, naming)
    if not captions and not embedded:
        raise UserError(
            f'{naming.title}: no captions in {folder}: put {naming.archives[0]} of Reed et al. there, '
            'or its text_c10/<class>/<image>.txt'
        )
    if not captions:
        say(f'{naming.title}: no captions in {folder}: only their embeddings are taken')
    return TextSources(captions, splits, release)


def _released_splits(release: StackganRelease) -> dict[str, str]:
    """The split of every image, by its name; empty if the release does not have both."""
    if list(release.names) != list(SPLITS):
        return {}
    return _by_name(str(release.folder), release.names)


def _class_splits(folder: Path, naming: Naming, classes: Mapping[str, int]) -> dict[str, str]:
    """The split of every class, by its name."""
    lists = read_class_lists(folder, naming)
    if not lists:
        raise UserError(
            f'{naming.title}: nothing in {folder} says which classes are for training: put trainvalclasses.txt and '
            f'testclasses.txt of {naming.archives[0]} there, or train/{NAMES} and test/{NAMES} of StackGAN'
        )
    for split, expected in classes.items():
        compare(f'{naming.title}: classes', split, len(lists[split]), expected)
    return _by_name(f'the class lists in {folder}', lists)


def _by_name(source: str, listed: Mapping[str, Sequence[str | None]]) -> dict[str, str]:
    splits: dict[str, str] = {}
    for split, names in listed.items():
        for name in names:
            if name is not None and splits.setdefault(name, split) != split:
                raise UserError(f'{source}: {printable(name)} is for training and for the test; fetch them again')
    return splits
