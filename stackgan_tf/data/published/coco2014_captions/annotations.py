"""The captions of MS COCO as it publishes them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stackgan_tf.data.published.archives import members
from stackgan_tf.data.published.caption_release import clean
from stackgan_tf.system.errors import UserError


def read_annotations(path: Path, file: str) -> dict[str, list[str]]:
    """The captions of a split.

    Args:
        path: of `annotations_trainval2014.zip`, or of the folder that it unpacks to.
        file: of the split, for example `captions_train2014.json`.

    Returns:
        Captions by name of the image (its file name without ending), in the order of the file.

    Raises:
        UserError: the file is not there, or broken.
    """
    content = next((content for _, content in members(path, lambda name: name.rpartition('/')[2] == file)), None)
    if content is None:
        raise UserError(f'{path} has no {file}: put annotations_trainval2014.zip of MS COCO in its place')
    try:
        published = json.loads(content.decode('utf-8-sig', 'replace'))
        names = {image['id']: image['file_name'].rpartition('.')[0] for image in published['images']}
        captions: dict[str, list[str]] = {name: [] for name in names.values()}
        for number, text in _texts(published['annotations']):
            if number in names:
                captions[names[number]].append(text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f'{path}: {file} is broken, or not that of MS COCO; fetch it again') from error
    return captions


def _texts(annotations: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    for annotation in annotations:
        if text := clean(annotation['caption']):
            yield annotation['image_id'], text
