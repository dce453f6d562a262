"""Examples for a prepared data set, from published images and captions."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from stackgan_tf.data.published.archives import members
from stackgan_tf.data.published.caption_release import Naming
from stackgan_tf.data.published.image_validation import validated_images
from stackgan_tf.data.published.tfds_shards import Example, counted
from stackgan_tf.system.console import say

_ENDINGS = ('.jpg', '.jpeg')  # as published; segmentation masks in the same folders have other endings


@dataclasses.dataclass(frozen=True)
class CaptionedImages:
    """The images of an archive or folder, with captions and splits.

    Attributes:
        naming: of the data set.
        path: of the archive or folder.
        captions: by name of the image.
        split_of: maps the name of an image to its split, None if it is in none.
        sizes: of the paper's splits, in the order in which they are prepared.
    """

    naming: Naming
    path: Path
    captions: Mapping[str, Sequence[str]]
    split_of: Callable[[str], str | None]
    sizes: Mapping[str, int]

    def examples(self, split: str) -> Iterator[Example]:
        """The images of a split, each in its encoded form.

        Prints what is passed over, and where the size of the split differs from the paper's.

        Yields:
            Name of the image; an example with `image`, `captions` (there may be none) and `filename`.

        Raises:
            UserError: there is no usable image, or the archive cannot be read.
        """
        return counted(self._examples(split), self.naming.title, split, self.sizes[split])

    def _examples(self, split: str) -> Iterator[Example]:
        met: set[str] = set()
        without = fewer = 0
        files = validated_images(self._files(split, met), f'{self.naming.title}, {split}', self.sizes[split])
        for path, content, name in files:
            filename = name + path[path.rindex('.') :]
            captions = list(self.captions.get(name, ()))
            without += not captions
            fewer += 0 < len(captions) < self.naming.captions
            yield name, {'image': content, 'captions': captions, 'filename': filename}
        if without and self.captions:
            say(f'{self.naming.title}: {without:,} images of {split} have no caption')
        if fewer:
            say(f'{self.naming.title}: {fewer:,} images of {split} have fewer than {self.naming.captions} captions')
        if split == list(self.sizes)[-1]:
            self._report_unused(met)

    def _files(self, split: str, met: set[str]) -> Iterator[tuple[str, bytes, str]]:
        """Path, content and name of the images of a split; `met` collects the names of all images."""

        def wanted(path: str) -> bool:
            name = self._name(path)
            if name is None or name in met:
                return False
            met.add(name)
            return self.split_of(name) == split

        for path, content in members(self.path, wanted):
            name = self._name(path)
            assert name is not None  # it was wanted
            yield path, content, name

    def _name(self, path: str) -> str | None:
        stem, dot, ending = path.rpartition('.')
        return self.naming.of(stem) if f'{dot}{ending}'.lower() in _ENDINGS else None

    def _report_unused(self, met: set[str]) -> None:
        title = self.naming.title
        if lost := len(self.captions.keys() - met):
            say(f'{title}: captions of images that are not there: {lost:,} passed over')
        if unlisted := sum(self.split_of(name) is None for name in met):
            say(f'{title}: images that are in no split: {unlisted:,} passed over')
