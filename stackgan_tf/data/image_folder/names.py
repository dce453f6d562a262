"""Finds the images that tables name in another form than the folder does."""

import posixpath
import re
import unicodedata
from collections.abc import Iterable

SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.gif', '.bmp', '.tif', '.tiff', '.avif')
_DRIVE = re.compile('^[a-z]:')


class ImageNames:
    """The names of images, to be found by the end of their paths, in any case, form of Unicode, and without suffix.

    Args:
        names: relative to the folder, with slashes.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_stem: dict[str, list[str]] = {}
        for name in names:
            self._by_stem.setdefault(_stem(_parts(name)[-1]), []).append(name)

    def find(self, wanted: str) -> str | None:
        """The image whose path ends as `wanted` does, or the reverse; None if there is none, or several fit as well.

        Folders of which neither path has more than the other must agree: `test/1.jpg` is not `train/1.jpg`.
        """
        parts = _parts(wanted)
        if not parts:
            return None
        fits: dict[tuple[int, bool], list[str]] = {}
        for name in self._by_stem.get(_stem(parts[-1]), ()):
            own = _parts(name)
            shared = min(len(own), len(parts))
            if own[-shared:-1] == parts[-shared:-1]:
                fits.setdefault((shared, own[-1] == parts[-1]), []).append(name)
        best = fits[max(fits)] if fits else []
        return best[0] if len(best) == 1 else None


def _parts(name: str) -> list[str]:
    plain = unicodedata.normalize('NFC', name).replace('\\', '/').casefold()
    plain = posixpath.normpath(_DRIVE.sub('', plain.strip()))
    return [part for part in plain.split('/') if part not in ('', '.', '..')]


def _stem(part: str) -> str:
    stem, suffix = posixpath.splitext(part)
    return stem if suffix in SUFFIXES else part
