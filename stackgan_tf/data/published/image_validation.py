"""Validates images for a prepared data set: decodes each once, and leaves out those that fail."""

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from stackgan_tf.data.image_decoding import BadImageError, decode
from stackgan_tf.data.ordered_map import ordered_map
from stackgan_tf.system.console import printable, say
from stackgan_tf.system.errors import UserError

Kept = TypeVar('Kept')

_NAMED = 10  # bad images that are printed


def validated_images(
    images: Iterable[tuple[str, bytes, Kept]], title: str, total: int | None = None
) -> Iterator[tuple[str, bytes, Kept]]:
    """Yields the images that training can decode, in their order; prints which are left out, and why.

    Args:
        images: name, content of the file (JPEG, PNG, WebP, ...), and any further value.
        title: of the progress bar.
        total: how many images there are, if that is known.

    Yields:
        The same, of usable images.

    Raises:
        UserError: the system, not the file, is the reason that an image cannot be decoded.
    """
    bad = 0
    with (
        tqdm(ordered_map(_checked, images), title, total, unit=' images', disable=None, leave=False) as progress,
        warnings.catch_warnings(),
    ):
        # Pillow still decodes the images that it warns about.
        warnings.simplefilter('ignore')
        for image, reason in progress:
            if reason is None:
                yield image
                continue
            bad += 1
            if bad <= _NAMED:
                say(f'{printable(image[0])} cannot be used and is left out: {reason}')
    if bad > _NAMED:
        say(f'{title}: {bad:,} images cannot be used and are left out')


def _checked(image: tuple[str, bytes, Kept]) -> tuple[tuple[str, bytes, Kept], str | None]:
    try:
        decode(io.BytesIO(image[1]))
    except BadImageError as error:
        if error.may_pass:  # the system's fault, not the image's: it must not be left out for good
            raise UserError(f'{printable(image[0])}: {error}; run the same command again') from error
        return image, str(error)
    return image, None
