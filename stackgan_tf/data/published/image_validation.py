"""Pictures on their way into a prepared data set: each is decoded once, and those that cannot be are left out."""

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from stackgan_tf.data.image_decoding import BadImageError, decode
from stackgan_tf.data.published.ordered_map import ordered_map
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

Kept = TypeVar('Kept')

_NAMED = 10  # of the bad pictures, how many are shown


def validated_images(
    pictures: Iterable[tuple[str, bytes, Kept]], title: str, total: int | None = None
) -> Iterator[tuple[str, bytes, Kept]]:
    """Those of some pictures that training can decode, in their order; says which are left out, and why.

    Args:
        pictures: name, content of the file (JPEG, PNG, WebP, ...), and anything that goes with it.
        title: of the progress bar.
        total: how many pictures there are, if that is known.

    Yields:
        The same, of usable pictures.

    Raises:
        UserError: one could not be decoded for a reason that is not its own.
    """
    bad = 0
    with (
        tqdm(ordered_map(_checked, pictures), title, total, unit=' pictures', disable=None, leave=False) as progress,
        warnings.catch_warnings(),
    ):
        # Of what Pillow only warns about, it makes pictures nevertheless.
        warnings.simplefilter('ignore')
        for picture, reason in progress:
            if reason is None:
                yield picture
                continue
            bad += 1
            if bad <= _NAMED:
                say(f'{picture[0]} cannot be used and is left out: {reason}')
    if bad > _NAMED:
        say(f'{title}: {bad:,} pictures cannot be used and are left out')


def _checked(picture: tuple[str, bytes, Kept]) -> tuple[tuple[str, bytes, Kept], str | None]:
    try:
        decode(io.BytesIO(picture[1]))
    except BadImageError as error:
        if error.may_pass:  # the system's fault, not the picture's: it must not be left out for ever
            raise UserError(f'{picture[0]}: {error}; run the same command again') from error
        return picture, str(error)
    return picture, None
