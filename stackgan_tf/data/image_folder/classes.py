"""The classes of a folder of images: a label in a table, or sub-folders; and why sub-folders are none."""

import dataclasses
import re
from collections import Counter

from stackgan_tf.data.image_folder.contents import listed

_STRAY = 0.1  # the share of images that may lie outside the folders of classes
_SHARD = re.compile(r'\d{4,}|.*\d{3,}\.(tar|zip)')
_SET_IT = 'if they are: ImageFolder.classes = True'
UNKNOWN = -1


@dataclasses.dataclass(frozen=True)
class Classes:
    """The classes of some images.

    Attributes:
        names: in the order of their numbers; empty if there are none.
        labels: the class of each image, `UNKNOWN` where it has none.
        notes: lines for the user.
    """

    names: list[str]
    labels: list[int]
    notes: list[str] = dataclasses.field(default_factory=list)


def by_folders(below: list[list[str]], trains: list[bool], wanted: bool | None, captioned: bool) -> Classes:
    """Classes by the folders that images lie in.

    Args:
        below: the parts of each image's path below what all paths have in common.
        trains: whether each image is in the training part, whose classes are the only ones.
        wanted: whether folders are classes; None: if they look so.
        captioned: whether images have captions.
    """
    named = [path[0].removesuffix('.tar').removesuffix('.zip') if len(path) > 1 else '' for path in below]
    counts = Counter(named)
    own = sorted({name for name, is_in in zip(named, trains, strict=True) if name and is_in}, key=_order)
    nothing = Classes([], [UNKNOWN] * len(named))
    if wanted is False or not own or (not wanted and len(own) < 2):
        return nothing
    if not wanted and (why := _no_classes(own, below, counts[''], captioned)):
        return dataclasses.replace(nothing, notes=[f'sub-folders are not taken for classes: {why}'])
    numbers = {name: number for number, name in enumerate(own)}
    notes = []
    if counts['']:
        notes.append(f'{counts[""]:,} of {len(named):,} images lie outside the sub-folders: they have no class')
    if others := sorted(counts.keys() - numbers.keys() - {''}):
        notes.append(f'{len(others):,} sub-folders have no images to train on: they are no classes: {listed(others)}')
    return Classes(own, [numbers.get(name, UNKNOWN) for name in named], notes)


def _no_classes(folders: list[str], below: list[list[str]], stray: int, captioned: bool) -> str:
    """Why folders are not taken for classes; empty if they are."""
    first = {path[0] for path in below if len(path) > 1}
    if all(map(_SHARD.fullmatch, first)) or (captioned and all(name.isdigit() for name in folders)):
        return f'they are numbered, as parts are ({_SET_IT})'
    if stray > _STRAY * len(below):
        return f'{stray:,} of {len(below):,} images lie outside them ({_SET_IT})'
    return ''


def labelled(labels: list[str], wanted: bool | None) -> Classes | None:
    """Classes by the labels of a table; None if it has none, or each image has another.

    Args:
        labels: of each image; empty where it has none.
        wanted: whether there are classes; None: what the labels look like.
    """
    known = [label for label in labels if label]
    names = sorted(set(known), key=_order)
    if wanted is False or not names or (not wanted and len(names) == len(known) and len(known) > 1):
        return None
    numbers = {name: number for number, name in enumerate(names)}
    without = len(labels) - len(known)
    notes = [f'{without:,} of {len(labels):,} images have no class'] if without else []
    return Classes(names, [numbers.get(label, UNKNOWN) for label in labels], notes)


def _order(name: str) -> tuple[int, int | str]:
    return (0, int(name)) if name.isdecimal() and len(name) < 16 else (1, name)
