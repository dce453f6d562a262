"""The bounding boxes of CUB-200-2011, around which both versions of StackGAN crop its images."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from stackgan_tf.data.box_crop import crop_window
from stackgan_tf.data.published.archives import members
from stackgan_tf.system.errors import UserError

_FILES = ('images.txt', 'bounding_boxes.txt', 'classes.txt')
_ORIENTATION = 0x0112  # EXIF's tag
_LYING = range(5, 9)  # its values that exchange width and height


def read_tables(path: Path) -> dict[str, dict[str, list[str]]]:
    """The tables of CUB: the fields of each row, by the number in its first field.

    Args:
        path: of `CUB_200_2011.tgz`, or of the folder that it unpacks to.

    Returns:
        `images.txt` (path of the image), `bounding_boxes.txt` (x, y, width, height) and `classes.txt` (name).

    Raises:
        UserError: it cannot be read, or one is missing.
    """
    contents = dict(members(path, lambda name: name.removeprefix('CUB_200_2011/') in _FILES))
    tables = {name.rpartition('/')[2]: dict(_rows(content)) for name, content in contents.items()}
    for file in _FILES:
        if file not in tables:
            raise UserError(f'{path} has no {file}: it is not CUB-200-2011, or not all of it; fetch it again')
    return tables


def _rows(content: bytes) -> Iterator[tuple[str, list[str]]]:
    for line in content.decode('utf-8', 'replace').splitlines():
        if fields := line.split():
            yield fields[0], fields[1:]


def boxes_by_image(tables: dict[str, dict[str, list[str]]]) -> dict[str, list[str]]:
    """The fields of the boxes, as text, by name of the image (its path without ending)."""
    boxes = tables['bounding_boxes.txt']
    paths = {number: fields[0] for number, fields in tables['images.txt'].items() if fields}
    return {path.rpartition('.')[0]: boxes.get(number, []) for number, path in paths.items()}


def checked_box(fields: list[str], encoded: bytes) -> tuple[np.ndarray, bool]:
    """A box that overlaps its image.

    Args:
        fields: of the box, as text.
        encoded: the image, which can be decoded.

    Returns:
        x, y, width and height, pixels, float32 `[4]`: of the box if it overlaps the image, else of the whole image.
        The second value says whether it is the box.
    """
    width, height = _size(encoded)
    with contextlib.suppress(ValueError, OverflowError):  # fields that are not finite numbers; a box outside
        x, y, box_width, box_height = map(float, fields)
        crop_window((x, y, box_width, box_height), width, height)
        return np.array([x, y, box_width, box_height], np.float32), True
    return np.array([0, 0, width, height], np.float32), False


def _size(encoded: bytes) -> tuple[int, int]:
    """Width and height of an image, turned as its orientation tag says."""
    with Image.open(io.BytesIO(encoded)) as image:
        size = image.size
        with contextlib.suppress(Exception):  # a broken tag is ignored
            if image.getexif().get(_ORIENTATION) in _LYING:
                return size[1], size[0]
    return size
