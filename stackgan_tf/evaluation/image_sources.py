"""Sources of images to be measured: all images of a data set or a folder, in batches, always in the same order."""

import abc
import concurrent.futures
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_decoding import FORMATS, BadImageError, decode
from stackgan_tf.data.image_folder.names import SUFFIXES
from stackgan_tf.system.errors import UserError

BATCH = 64


class ImageSource(abc.ABC):
    """Square images of one size.

    Attributes:
        title: everything that the images depend on, in one line.
        count: number of images.
        size: s, pixels.
        notes: warnings about scores that are measured with them, for people.
    """

    title: str
    count: int
    size: int
    notes: Sequence[str] = ()

    def described(self, what: str) -> str:
        """Describes the images, as a part of a protocol."""
        return f'{self.count:,} {what} images of {self.size} pixels ({self.title})'

    @abc.abstractmethod
    def batches(self) -> Iterator[np.ndarray]:
        """All images in batches, uint8 `[n, s, s, 3]`; the last batch may be smaller."""


class SourceImages(ImageSource):
    """Crops of a data set's images, without flips.

    Args:
        source: the data set.
        size: the size of the crops, pixels.
        random_seed: the seed of random crops, as in training; None: center crops.
        examples: int64 `[N]`, the examples to crop; None: each once.
    """

    def __init__(
        self,
        source: ExampleSource,
        size: int,
        random_seed: int | None = None,
        examples: np.ndarray | None = None,
    ) -> None:
        self._source = source
        self._examples = np.arange(source.count) if examples is None else examples
        self.count, self.size = len(self._examples), size
        self._draws = np.full((self.count, 2), 0.5, np.float32)
        where = 'center'
        if random_seed is not None:
            self._draws = np.random.default_rng(random_seed).random((self.count, 2), np.float32)
            where = f'random (seed {random_seed})'
            note = 'scores against augmented references are not comparable with others'
            self.notes = (f'{source.title} is cropped at random: {note}',)
        self.title = f'{source.title}, {where} crops of {size} of {source.load_size(size)} pixels'

    def batches(self) -> Iterator[np.ndarray]:
        """The crops, in the order of the examples; see `ImageSource`."""

        def crop(first: tf.Tensor) -> tf.Tensor:
            rows = slice(first, first + BATCH)
            return self._source.crops(examples[rows], draws[rows], self.size)

        examples, draws = tf.constant(self._examples, tf.int64), tf.constant(self._draws)
        firsts = tf.data.Dataset.range(0, self.count, BATCH)
        yield from firsts.map(crop, tf.data.AUTOTUNE, deterministic=True).prefetch(2).as_numpy_iterator()


class FolderImages(ImageSource):
    """The image files of a folder and its sub-folders, sorted by name, neither cropped nor resized.

    Args:
        root: the folder.

    Raises:
        UserError: there are no images, one cannot be read, or they are not all squares of one size.
    """

    def __init__(self, root: Path) -> None:
        self._files = sorted(
            path
            for path in root.rglob('*')
            if path.suffix.lower() in SUFFIXES
            and not any(part.startswith('.') for part in path.relative_to(root).parts)
        )
        if not self._files:
            raise UserError(f'{root} has no images ({", ".join(suffix[1:] for suffix in SUFFIXES)})')
        shapes = [_shape_and_mode(path) for path in self._files]
        width, height, _ = shapes[0]
        for path, shape in zip(self._files, shapes, strict=True):
            if shape[:2] != (width, width):
                raise UserError(
                    f'{path} has {shape[0]} x {shape[1]} pixels, {self._files[0].name} {width} x {height}: images '
                    'must be squares of one size; --reference=RUN crops the data of a run as its recipe does'
                )
        self.count, self.size = len(self._files), width
        self.title = f'the files of {root}'
        self.notes = tuple(_notes(root, self._files, [mode for _, _, mode in shapes]))

    def batches(self) -> Iterator[np.ndarray]:
        """The images, sorted by name; see `ImageSource`.

        Raises:
            UserError: a file cannot be decoded.
        """
        with concurrent.futures.ThreadPoolExecutor() as threads:
            for first in range(0, self.count, BATCH):
                yield np.stack(list(threads.map(_pixels, self._files[first : first + BATCH])))


def _shape_and_mode(path: Path) -> tuple[int, int, str]:
    """Width, height and Pillow's mode, from the header of a file."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.width, image.height, image.mode
    except Exception as error:  # Pillow's readers raise errors of any type
        raise UserError(f'{path} cannot be read: it is not an image, or broken') from error


def _pixels(path: Path) -> np.ndarray:
    try:
        return np.asarray(decode(path))
    except BadImageError as error:
        raise UserError(f'{path} cannot be read: {error}') from error


def _notes(root: Path, files: Sequence[Path], modes: Sequence[str]) -> Iterator[str]:
    others = sorted({mode for mode in modes if mode != 'RGB'})
    if others:
        count = sum(mode != 'RGB' for mode in modes)
        yield f'{count:,} of {len(files):,} images in {root} are not of three 8-bit channels ({", ".join(others)})'
    lossy = sum(path.suffix.lower() in ('.jpg', '.jpeg') for path in files)
    if lossy:
        yield f'{lossy:,} of {len(files):,} images in {root} are JPEG: compression counts as a difference; use PNG'
