"""The captions and class lists that Reed et al. published for other people's images.

They come as `cvpr2016_cub.tar.gz` and `cvpr2016_flowers.tar.gz` ("Learning Deep Representations of Fine-Grained Visual
Descriptions"), which must be fetched by hand; the release of StackGAN has the same captions.
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from stackgan_tf.data.published.archives import members, near

_LISTS = {'train': 'trainvalclasses.txt', 'test': 'testclasses.txt'}


@dataclasses.dataclass(frozen=True)
class Naming:
    """How the published files of a data set name its images and classes.

    Attributes:
        title: of the data set.
        captions: how many each image has, as a rule.
        image: the end of a path that names an image, without the ending of its file.
        class_name: the whole name of a class.
        archives: in which its captions and class lists were published.
    """

    title: str
    captions: int
    image: re.Pattern[str]
    class_name: re.Pattern[str] = re.compile('')
    archives: tuple[str, ...] = ()

    def of(self, path: str) -> str | None:
        """The name of the image that a path without ending refers to; None if it is not one of this data set."""
        found = self.image.search(path)
        return found[0] if found else None


def clean(text: str) -> str:
    """A caption as it is stored: invalid characters become a space, as in the release of StackGAN-v2."""
    valid = text.encode('utf-8', 'surrogatepass').decode('utf-8', 'replace')
    return re.sub('\N{REPLACEMENT CHARACTER}+', ' ', valid).strip()


def read_captions(folder: Path, naming: Naming) -> dict[str, list[str]]:
    """The captions of a data set by image, from `text_c10/<class>/<image>.txt`, one a line.

    Args:
        folder: where the user put them, unpacked (also up to two levels deeper) or as the published archive.
        naming: of the data set; folders of others are passed over.

    Returns:
        Captions by name of the image; empty if there are none.

    Raises:
        UserError: an archive cannot be read.
    """
    unpacked = (found for found in near(folder, 'text_c10') if found.is_dir())
    for source in (*unpacked, *_archives(folder, naming)):
        if captions := dict(_captions(source, naming)):
            return captions
    return {}


def _captions(source: Path, naming: Naming) -> Iterator[tuple[str, list[str]]]:
    """The captions of a data set in a folder called `text_c10`, or in an archive with such a folder."""
    inside = '' if source.is_dir() else r'(?:.*/)?text_c10/'
    # Images of Oxford-102 do not have the folder of their class in their name, but their captions are in one.
    wanted = re.compile(rf'{inside}{naming.class_name.pattern}/[^/]+\.txt')
    for path, content in members(source, lambda path: wanted.fullmatch(path) is not None):
        if name := naming.of(path.removesuffix('.txt')):
            yield name, _lines(content)


def read_class_lists(folder: Path, naming: Naming) -> dict[str, list[str]]:
    """The names of the classes of each split, from `trainvalclasses.txt` and `testclasses.txt`.

    Args:
        folder: where the user put them, unpacked (also up to two levels deeper) or in the published archive.
        naming: of the data set; lists of others are passed over.

    Returns:
        Names of classes by split, `train` and `test`; empty if there are none.

    Raises:
        UserError: an archive cannot be read.
    """
    for list_of_train in near(folder, _LISTS['train']):
        paths = {split: list_of_train.with_name(name) for split, name in _LISTS.items()}
        if all(path.is_file() for path in paths.values()):
            lists = {split: _classes(path.read_bytes(), naming) for split, path in paths.items()}
            if all(lists.values()):
                return lists
    for archive in _archives(folder, naming):
        listed = members(archive, lambda path: path.rpartition('/')[2] in _LISTS.values())
        contents = {path.rpartition('/')[2]: content for path, content in listed}
        lists = {split: _classes(contents.get(name, b''), naming) for split, name in _LISTS.items()}
        if all(lists.values()):
            return lists
    return {}


def _archives(folder: Path, naming: Naming) -> Iterator[Path]:
    return (found for name in naming.archives for found in near(folder, name) if found.is_file())


def _lines(content: bytes) -> list[str]:
    lines = (clean(line) for line in content.decode('utf-8-sig', 'replace').split('\n'))
    return [line for line in lines if line]


def _classes(content: bytes, naming: Naming) -> list[str]:
    words = content.decode('utf-8-sig', 'replace').split()
    return list(dict.fromkeys(word for word in words if naming.class_name.fullmatch(word)))
