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
from stackgan_tf.data.image_folder.first_pass import Preparation
from stackgan_tf.data.image_folder.image_cache import ImageCache
from stackgan_tf.data.image_folder.listing import list_images, listed
from stackgan_tf.data.image_folder.stored_embeddings import read_embeddings
from stackgan_tf.data.random_crop import load_size, random_crops
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import AtLeast, LessThan, MoreThan


class ImageFolder(ExampleSource):
    """Any folder of JPEG, PNG, WebP, GIF, BMP and TIFF files, nested or not.

    The first use reads every image once and keeps it at load size in a cache (see `first_pass`).

    Args:
        root: the folder; may hold `train/` and `test/`, a sub-folder per class, and `metadata.jsonl` or `metadata.csv`.
        sizes: of the model, small to large; the largest decides the load size.
        split: `train` or `test`.
        test_fraction: the share of `test` in a folder without `train/` and `test/`, chosen by a hash of the name.
        crop_to_boxes: whether images are cropped around the boxes that the metadata give (`bbox`).
        cache_gigabytes: what the cache may take. Images are kept uncompressed if they fit, else as JPEG.
        classes: whether sub-folders that hold all images are classes.

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
        classes: bool = True,
    ) -> None:
        if not root:
            raise UserError("there are no images: IMAGE_ROOT is empty, write for example IMAGE_ROOT = '/my/images'")
        self._size = sizes[-1]
        self._classes = classes
        self.title = root if split == 'train' else f'{root} (split {split})'
        self._listing = list_images(Path(os.path.expanduser(root)), split, test_fraction)
        for note in self._listing.notes:
            say(note)
        if names := self.class_names:
            say(f'{len(names):,} classes, one a sub-folder: {listed(names)} (if not: ImageFolder.classes = False)')
        preparation = Preparation(load_size(self._size), crop_to_boxes)
        self._cache = ImageCache(self._listing, preparation, int(cache_gigabytes * 1e9))

    @property
    def count(self) -> int:
        """How many usable images the split has."""
        return self._cache.count

    @property
    def class_names(self) -> list[str]:
        """The classes in the order of their labels; empty if there are none."""
        if not self._classes:
            return []
        # Names of folders may be any bytes; names of classes are UTF-8.
        return [os.fsencode(name).decode('utf-8', 'backslashreplace') for name in self._listing.class_names]

    def path(self, index: int) -> Path:
        """The file of an example."""
        return self._listing.root / self._name(index)

    def captions(self) -> Captions:
        """The captions of all images; see `ExampleSource`."""
        captions = [self._listing.annotation(self._name(index)).captions for index in range(self.count)]
        if not any(captions):
            raise UserError(f'{self.title} has no captions (text in metadata.jsonl), which this recipe needs')
        return Captions(captions)

    def stored_embeddings(self) -> Sequence[np.ndarray]:
        """float32 `[K, T]` of each image; see `ExampleSource`."""
        return read_embeddings(self._listing.root, [self._name(index) for index in range(self.count)])

    def labels(self) -> np.ndarray:
        """int32 `[count]`; see `ExampleSource`."""
        if not self.class_names:
            return super().labels()
        return np.array([self._listing.label(self._name(index)) for index in range(self.count)], np.int32)

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
