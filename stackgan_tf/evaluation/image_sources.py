"""Pictures to be measured, real ones or files: always in the same order, a few at a time, none left out."""

import abc
import concurrent.futures
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_decoding import FORMATS, BadImageError, decode
from stackgan_tf.data.image_folder.listing import SUFFIXES
from stackgan_tf.data.random_crop import load_size
from stackgan_tf.system.errors import UserError

BATCH = 64


class ImageSource(abc.ABC):
    """Square pictures of one size.

    Attributes:
        title: what they are: all that they depend on, on one line.
        count: how many.
        size: s, pixels.
        notes: what is wrong with measuring by them, for people.
    """

    title: str
    count: int
    size: int
    notes: Sequence[str] = ()

    def described(self, what: str) -> str:
        """The pictures as part of a protocol."""
        return f'{self.count:,} {what} pictures of {self.size} pixels ({self.title})'

    @abc.abstractmethod
    def batches(self) -> Iterator[np.ndarray]:
        """All of them, uint8 `[n, s, s, 3]` at a time; the last time maybe fewer."""


class SourceImages(ImageSource):
    """Crops of a data set's pictures, not mirrored.

    Args:
        source: the data set.
        size: of the crops, pixels.
        random_seed: crops lie at random, as in training; None: in the centre.
        examples: int64 `[N]`, which pictures; None: each once.
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
        where = 'centre'
        if random_seed is not None:
            self._draws = np.random.default_rng(random_seed).random((self.count, 2), np.float32)
            where = f'random (seed {random_seed})'
            self.notes = (f'{source.title} is cropped at random: scores against augmented references are other scores',)
        self.title = f'{source.title}, {where} crops of {size} of {load_size(size)} pixels'

    def batches(self) -> Iterator[np.ndarray]:
        """The crops, in the order of the examples; see `Pictures`."""

        def cut(first: tf.Tensor) -> tf.Tensor:
            rows = slice(first, first + BATCH)
            return self._source.crops(examples[rows], draws[rows], self.size)

        examples, draws = tf.constant(self._examples, tf.int64), tf.constant(self._draws)
        firsts = tf.data.Dataset.range(0, self.count, BATCH)
        yield from firsts.map(cut, tf.data.AUTOTUNE, deterministic=True).prefetch(2).as_numpy_iterator()


class FolderImages(ImageSource):
    """The files of a folder and of those below it, by name; each as it is, nothing is cropped or resized.

    Args:
        root: the folder.

    Raises:
        UserError: there are no pictures, one cannot be read, or they are not all squares of one size.
    """

    def __init__(self, root: Path) -> None:
        self._files = sorted(
            path
            for path in root.rglob('*')
            if path.suffix.lower() in SUFFIXES
            and not any(part.startswith('.') for part in path.relative_to(root).parts)
        )
        if not self._files:
            raise UserError(f'{root} has no pictures ({", ".join(suffix[1:] for suffix in SUFFIXES)})')
        shapes = [_shape_and_mode(path) for path in self._files]
        width, height, _ = shapes[0]
        for path, shape in zip(self._files, shapes, strict=True):
            if shape[:2] != (width, width):
                raise UserError(
                    f'{path} has {shape[0]} x {shape[1]} pixels, {self._files[0].name} {width} x {height}: pictures '
                    'must be squares of one size; --reference=RUN takes the data of a run as its recipe crops them'
                )
        self.count, self.size = len(self._files), width
        self.title = f'the files of {root}'
        self.notes = tuple(_notes(root, self._files, [mode for _, _, mode in shapes]))

    def batches(self) -> Iterator[np.ndarray]:
        """The files, by name; see `Pictures`.

        Raises:
            UserError: one cannot be decoded.
        """
        with concurrent.futures.ThreadPoolExecutor() as threads:
            for first in range(0, self.count, BATCH):
                yield np.stack(list(threads.map(_pixels, self._files[first : first + BATCH])))


def _shape_and_mode(path: Path) -> tuple[int, int, str]:
    """Width, height and Pillow's mode, from the file's head."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.width, image.height, image.mode
    except Exception as error:  # Pillow's readers raise what they stumble over
        raise UserError(f'{path} cannot be read: it is no picture, or broken') from error


def _pixels(path: Path) -> np.ndarray:
    try:
        return np.asarray(decode(path))
    except BadImageError as error:
        raise UserError(f'{path} cannot be read: {error}') from error


def _notes(root: Path, files: Sequence[Path], modes: Sequence[str]) -> Iterator[str]:
    others = sorted({mode for mode in modes if mode != 'RGB'})
    if others:
        count = sum(mode != 'RGB' for mode in modes)
        yield f'{count:,} of {len(files):,} pictures in {root} are not of three 8-bit channels ({", ".join(others)})'
    lossy = sum(path.suffix.lower() in ('.jpg', '.jpeg') for path in files)
    if lossy:
        yield f'{lossy:,} of {len(files):,} pictures in {root} are JPEG: its losses count as differences; use PNG'
