"""A folder of images as a source of examples."""

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import tensorflow as tf

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_folder.contents import listed
from stackgan_tf.data.image_folder.first_pass import Preparation
from stackgan_tf.data.image_folder.image_cache import ImageCache
from stackgan_tf.data.image_folder.listing import list_images
from stackgan_tf.data.image_folder.stored_embeddings import read_embeddings
from stackgan_tf.data.random_crop import load_size, random_crops
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import AtLeast, LessThan, MoreThan


class ImageFolder(ExampleSource):
    """Any folder of JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF files, nested or not, or in tar or zip archives.

    The folder is listed at once. The first use of an image reads every image once and keeps it at load size in a cache
    (see `first_pass`).

    Args:
        root: the folder, or an archive; may hold `train/` and `test/`, a sub-folder per class, texts and tables with
            captions (see `layouts`).
        sizes: of the model, small to large; the largest decides the load size.
        split: `train` or `test`.
        test_fraction: the share of `test` in a folder without `train/` and `test/`, chosen by a hash of the name.
        crop_to_boxes: whether images are cropped around the boxes that the metadata give (`bbox`).
        cache_gigabytes: what the cache may take. Images are kept uncompressed if they fit, else as JPEG.
        classes: whether sub-folders, or labels in a table, are classes; None: if they look so.
        caption_column: the column of tables that holds captions; None: those that are called `text`, `caption`, ...

    Raises:
        UserError: there is no such folder, nothing in it can be used, or there is no room for the cache.
    """

    def __init__(
        self,
        root: str,
        sizes: Sequence[int],
        split: str = 'train',
        test_fraction: Annotated[float, AtLeast(0), LessThan(1)] = 0.1,
        crop_to_boxes: bool = True,
        cache_gigabytes: Annotated[float, MoreThan(0)] = 20.0,
        classes: bool | None = None,
        caption_column: str | None = None,
    ) -> None:
        if not root:
            raise UserError("there are no images: IMAGE_ROOT is empty, write for example IMAGE_ROOT = '/my/images'")
        self._size = sizes[-1]
        self.title = root if split == 'train' else f'{root} (split {split})'
        self._listing = list_images(Path(os.path.expanduser(root)), split, test_fraction, classes, caption_column)
        for note in self._listing.notes:
            say(note)
        if names := self.class_names:
            say(f'{len(names):,} classes: {listed(names)} (if not: ImageFolder.classes = False)')
        self._preparation = Preparation(load_size(self._size), crop_to_boxes)
        self._cache_bytes = int(cache_gigabytes * 1e9)

    @functools.cached_property
    def _cache(self) -> ImageCache:
        return ImageCache(self._listing, self._preparation, self._cache_bytes)

    @property
    def count(self) -> int:
        """How many usable images the split has."""
        return self._cache.count

    @property
    def class_names(self) -> list[str]:
        """The classes in the order of their labels; empty if there are none."""
        # Names of folders may be any bytes; names of classes are UTF-8.
        return [os.fsencode(name).decode('utf-8', 'backslashreplace') for name in self._listing.class_names]

    def path(self, index: int) -> Path:
        """The file of an example."""
        return self._listing.root / self._name(index)

    @property
    def fingerprint(self) -> str:
        """A hash of the names and sizes of the files; see `ExampleSource`."""
        return self._listing.fingerprint()

    def check_captions(self) -> None:
        """See `ExampleSource`.

        Raises:
            UserError: no image has a caption.
        """
        if any(annotation.captions for annotation in self._listing.annotations.values()):
            return
        if self._listing.captioned:
            raise UserError(
                f'{self.title} has {len(self._listing.files):,} images without captions, while those of the other '
                'part have some: give captions to some of them, or remove the folder of that split'
            )
        raise UserError(
            f'{self.title} has no captions, which this recipe needs: none of its {len(self._listing.files):,} images '
            'has an x.txt next to x.jpg, or text in a metadata.jsonl (docs/your_own_images.md lists the layouts; '
            'ImageFolder.caption_column names a column)'
        )

    def caption_lists(self) -> list[list[str | bytes]]:
        """The captions of each listed image; see `ExampleSource`."""
        self.check_captions()
        lists = (self._listing.annotation(file.name).captions for file in self._listing.files)
        return [list(captions) for captions in lists if captions]

    def captions(self) -> Captions:
        """The captions of all images; see `ExampleSource`."""
        self.check_captions()
        return Captions(self._listing.annotation(self._name(index)).captions for index in range(self.count))

    def stored_embeddings(self) -> Sequence[np.ndarray]:
        """float32 `[K, T]` of each image; see `ExampleSource`."""
        return read_embeddings(self._listing.root, [self._name(index) for index in range(self.count)])

    def labels(self) -> np.ndarray:
        """int32 `[count]`; see `ExampleSource`. An image whose class is unknown is its own class."""
        known = np.array(self._listing.labels, np.int32)[self._cache.positions]
        return np.where(known >= 0, known, len(self.class_names) + super().labels())

    def check_size(self, size: int) -> None:
        """See `ExampleSource`.

        Raises:
            UserError: `size` is not the size that the images were prepared for.
        """
        if size != self._size:
            raise UserError(f'ImageFolder.sizes ends with {self._size}, the sizes of the model with {size}')

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """uint8 `[N, size, size, 3]` of the examples at `indices`; see `ExampleSource` and `check_size`."""
        self.check_size(size)
        if not self._cache.lossless:
            encoded = tf.numpy_function(self._cache.read, [indices], tf.string, stateful=False)
            return random_crops(tf.ensure_shape(encoded, indices.shape), size, draws)
        cut = functools.partial(self._cache.crops, size=size)
        crops = tf.numpy_function(cut, [indices, draws], tf.uint8, stateful=False)
        return tf.ensure_shape(crops, (*indices.shape, size, size, 3))

    def _name(self, index: int) -> str:
        return self._listing.files[self._cache.positions[index]].name
