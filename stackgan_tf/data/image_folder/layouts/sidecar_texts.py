"""Captions in a text file next to each image: `x.txt` of `x.jpg`, one caption a line, as kohya_ss and img2dataset do.

Also `x.caption`, `x.jpg.txt`; `x.json` where there is no text; and the layout of Reed et al., `text/<class>/x.txt` of
`images/<class>/x.jpg`.
"""

import contextlib
import json
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from stackgan_tf.data.image_folder.annotation import Annotation, together
from stackgan_tf.data.image_folder.contents import Contents, listed
from stackgan_tf.data.image_folder.layouts.records import Columns
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.text_files import text_encoding

_TEXTS = ('.txt', '.caption', '.captions')
_MOST = 1 << 20  # bytes of a text
# Boxes for YOLO: a class and four numbers a line.
_BOXES = re.compile(r'(\s*\d+(\s+[\d.eE+-]+){4,}\s*\n?)+')
_TEXT_FOLDER = re.compile(r'(texts?|captions?)(_c10)?|txt', re.IGNORECASE)
_IMAGE_FOLDER = re.compile('images?|imgs?|jpe?gs?|pics|pictures|photos', re.IGNORECASE)


def read_sidecar_texts(contents: Contents, caption_column: str | None) -> tuple[dict[str, Annotation], list[str]]:
    """The captions in texts that belong to one image each; removes those texts from `contents.texts`.

    Args:
        contents: of the folder.
        caption_column: the key of captions in JSON files; None: those that are called so.

    Returns:
        Annotations by image name, and lines for the user.
    """
    annotations: dict[str, Annotation] = {}
    bad: list[str] = []
    pairs = _pairs([file.name for file in contents.images], contents.texts)
    columns = Columns(caption_column)
    for text, image in pairs:
        contents.texts.discard(text)
        if text.endswith('.json') and annotations.get(image, Annotation()).captions:
            continue  # img2dataset writes the caption in both
        try:
            annotation = _read(contents, text, columns)
        except (UserError, ValueError) as error:
            bad.append(f'{text} ({error})')
            continue
        annotations[image] = together(annotations.get(image, Annotation()), annotation)
    notes = [f'{len(bad):,} texts of images are not read: {listed(bad)}'] if bad else []
    return {name: each for name, each in annotations.items() if each != Annotation()}, notes


def _pairs(images: list[str], texts: Iterable[str]) -> list[tuple[str, str]]:
    """Each text that belongs to an image, with that image; JSON files last."""
    texts = [text for text in texts if text.lower().endswith((*_TEXTS, '.json'))]
    by_key = defaultdict(set)
    for text in texts:
        stem = posixpath.splitext(text)[0]
        for key in (stem, _without_folder(stem, _TEXT_FOLDER)):
            by_key[key].add(text)
    pairs = set()
    for image in images if texts else ():
        stem = posixpath.splitext(image)[0]
        keys = (image, stem, _without_folder(image, _IMAGE_FOLDER), _without_folder(stem, _IMAGE_FOLDER))
        pairs |= {(text, image) for key in keys for text in by_key.get(key, ())}
    found = {text for text, _ in pairs}
    left = [text for text in texts if text not in found and _without_folder(text, _TEXT_FOLDER) != text]
    return sorted([*pairs, *_by_stem(images, left)], key=lambda pair: (pair[0].endswith('.json'), *pair))


def _by_stem(images: list[str], texts: list[str]) -> Iterator[tuple[str, str]]:
    """Texts and images of the same name in other folders (Reed's flowers), where only one of each is called so."""
    if texts:
        of_texts, of_images = (_unique_stems(names) for names in (texts, images))
        yield from ((of_texts[stem], of_images[stem]) for stem in of_texts.keys() & of_images.keys())


def _unique_stems(names: list[str]) -> dict[str, str]:
    stems = [posixpath.splitext(posixpath.basename(name))[0] for name in names]
    counts = Counter(stems)
    return {stem: name for stem, name in zip(stems, names, strict=True) if counts[stem] == 1}


def _without_folder(name: str, kind: re.Pattern[str]) -> str:
    """A path without the last of its folders that is of a kind."""
    *folders, base = name.split('/')
    for at in reversed(range(len(folders))):
        if kind.fullmatch(folders[at]):
            return '/'.join([*folders[:at], *folders[at + 1 :], base])
    return name


def _read(contents: Contents, name: str, columns: Columns) -> Annotation:
    """What a text says about its image.

    Raises:
        UserError: it cannot be read.
        ValueError: it is of another kind.
    """
    with contents.open(name) as file:
        content = file.read(_MOST + 1)
    if len(content) > _MOST:
        raise ValueError(f'more than {_MOST >> 20} MB')
    try:
        text = content.decode(text_encoding(content))
    except UnicodeDecodeError as error:
        raise ValueError('not UTF-8 text') from error
    if not name.endswith('.json'):
        if _BOXES.fullmatch(text):
            raise ValueError('boxes, no caption')
        return Annotation(tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip())))
    with contextlib.suppress(RecursionError):
        record = json.loads(text)
        if isinstance(record, dict):
            return columns.name_and_annotation({**record, 'file_name': name})[1]
    raise ValueError('JSON of an unknown layout')
