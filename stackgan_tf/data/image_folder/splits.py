"""Which images are held out: folders called `train`, `val`, `test` and the like, or a hash of each name."""

import dataclasses
import hashlib
import os
import re
from collections.abc import Mapping

from stackgan_tf.data.image_folder.annotation import Annotation
from stackgan_tf.data.image_folder.contents import ImageFile

SPLITS = ('train', 'test')
_WORDS = {
    'train': ('train', 'training', 'trn'),
    'val': ('val', 'valid', 'validation', 'dev'),
    'test': ('test', 'testing', 'eval'),
}
_MEANING = {word: split for split, words in _WORDS.items() for word in words}
# Also train2017, train_images, train-00000.tar.
_FOLDER = re.compile(rf'({"|".join(_MEANING)})([-_ ]?(\d+|images?|imgs?|set|data))*(\.tar|\.zip)?', re.IGNORECASE)
_WORD = re.compile('[a-z]+')


def split_of_folder(name: str) -> str:
    """`train`, `val` or `test` if a folder is called so, in one of many spellings; else an empty text."""
    found = _FOLDER.fullmatch(name)
    return _MEANING[found[1].lower()] if found else ''


def split_of_word(text: str) -> str:
    """The split that a value of a table means; else an empty text."""
    return _MEANING.get(text.strip().lower(), '')


def split_in_name(path: str) -> str:
    """The split that a word in the path of a file names, as in `captions_val2017.json`; the last one if several."""
    found = [_MEANING[word] for word in _WORD.findall(path.lower()) if word in _MEANING]
    return found[-1] if found else ''


@dataclasses.dataclass
class Division:
    """The images for training and those that are held out.

    Attributes:
        images: of both, sorted by name.
        below: of each, the parts of its path below its split, and below the folders that all have in common.
        trains: whether each is trained on.
        tests: whether each is held out.
        notes: lines for the user.
    """

    images: list[ImageFile]
    below: list[list[str]]
    trains: list[bool]
    tests: list[bool]
    notes: list[str] = dataclasses.field(default_factory=list)


def divide(images: list[ImageFile], annotations: Mapping[str, Annotation], test_fraction: float) -> Division:
    """Divides the images of a folder by its folders, by the splits in its tables, or else by a hash.

    Args:
        images: sorted by name.
        annotations: of the images, by name.
        test_fraction: the share of the held-out part where a hash decides, in [0, 1).
    """
    paths = [file.name.split('/') for file in images]
    below = _below(paths)
    folders = [split_of_folder(path[0]) if len(path) > 1 else '' for path in below]
    columns = [annotations[file.name].split if file.name in annotations else '' for file in images]
    captioned = [bool(file.name in annotations and annotations[file.name].captions) for file in images]
    if 'train' in folders:
        names = [f'{path[0]}/' for path in below]
        below = [path[1:] for path in below]
        given = folders
    else:
        names = given = columns if len({'train', *columns} - {''}) > 1 else ['train'] * len(images)
    notes: list[str] = []
    held = _held_part(given, captioned)
    kept = [at for at, split in enumerate(given) if split and split in ('train', held)]
    if held:
        trains, tests = [given[at] == 'train' for at in kept], [given[at] == held for at in kept]
    else:
        trains, tests, notes = _by_hash([images[at].name for at in kept], [captioned[at] for at in kept], test_fraction)
    if unused := len(images) - len(kept):
        used = dict.fromkeys(names[at] for at in sorted(kept, key=lambda at: given[at] != 'train'))
        notes.append(f'{unused:,} images outside {" and ".join(used)} are not used')
    return Division([images[at] for at in kept], _below([below[at] for at in kept]), trains, tests, notes)


def _held_part(given: list[str], captioned: list[bool]) -> str:
    """Which of `test` and `val` is held out: the first that has captions, or else images; empty if there is none."""
    pairs = set(zip(given, captioned, strict=True))
    order = [('test', True), ('val', True), ('test', False), ('val', False)]
    return next((pair[0] for pair in order if pair in pairs), '')


def _by_hash(names: list[str], captioned: list[bool], test_fraction: float) -> tuple[list[bool], list[bool], list[str]]:
    """Holds a share of the captioned images out, or of all if none has captions: at least one, but never the last.

    Returns:
        Whether each is trained on, whether each is held out, and lines for the user.
    """
    numbers = range(len(names))
    pool = [at for at in numbers if captioned[at]] or list(numbers)
    ordered = sorted((fraction(names[at]), at) for at in pool)
    drawn = sum(number < test_fraction for number, _ in ordered)
    if test_fraction and len(pool) > 1:
        drawn = min(max(drawn, 1), len(pool) - 1)
    if test_fraction and len(pool) == 1:
        what = 'image' if len(names) == 1 else 'captioned image'
        notes = [f'there is only one {what}: it is trained on, and scores are measured on it too']
        return [True] * len(names), [at == pool[0] for at in numbers], notes
    held = {at for _, at in ordered[:drawn]}
    return [at not in held for at in numbers], [at in held for at in numbers], []


def _below(paths: list[list[str]]) -> list[list[str]]:
    """Paths without the folders that all begin with."""
    if not paths:
        return []
    first, last = min(paths)[:-1], max(paths)[:-1]
    pairs = zip(first, last, strict=False)
    shared = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(first), len(last)))
    return [path[shared:] for path in paths]


def fraction(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8], 'big') / 2**64
