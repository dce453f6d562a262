"""Pictures that a model draws while they are measured: of captions, classes or embeddings of a data set, or nothing."""

import abc
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.caption_sampling import SampledCaptions, draw_captions
from stackgan_tf.evaluation.image_sources import BATCH, ImageSource
from stackgan_tf.generator import Generator
from stackgan_tf.system.errors import UserError


class ConditionSource(abc.ABC):
    """What a model is told of each picture.

    Attributes:
        title: for people.
    """

    title: str

    @abc.abstractmethod
    def embeddings(self, rows: slice) -> np.ndarray:
        """Of some pictures: float32 `[n, T]`."""


class CaptionConditions(ConditionSource):
    """One caption of each of a data set's examples, in random order, again and again if more pictures are asked for.

    Args:
        generator: of kind text.
        source: whose captions.
        count: of pictures.
        seed: of the draw.

    Raises:
        UserError: the data set has no captions.
    """

    def __init__(self, generator: Generator, source: ExampleSource, count: int, seed: int) -> None:
        self._generator = generator
        self.drawn: SampledCaptions = draw_captions(source, count, seed)
        self.title = f'captions of {source.title}, one of each picture'

    def embeddings(self, rows: slice) -> np.ndarray:
        """See `Told`."""
        return self._generator.embed(list(self.drawn.texts[rows]))


class VectorConditions(ConditionSource):
    """Labels or stored embeddings of a data set's examples, in random order.

    Raises:
        UserError: the data set has none, or other ones than the model was trained with.
    """

    def __init__(self, generator: Generator, source: ExampleSource | None, count: int, seed: int) -> None:
        kind = 'class' if generator.kind == 'class' else 'embedding'
        if source is None:
            what = 'classes' if kind == 'class' else 'embeddings'
            raise UserError(f'this model is told {what} of a data set: name one with --reference, not a folder')
        self._generator = generator
        rng = np.random.default_rng(seed)
        examples = np.concatenate([rng.permutation(source.count) for _ in range(-(-count // source.count))])[:count]
        if kind == 'class':
            if list(source.class_names) != list(generator.class_names):
                raise UserError(f'{source.title} has other classes than this model was trained with')
            self._told = source.labels()[examples]
            self.title = f'classes of {source.title}'
            return
        stored = source.stored_embeddings()
        self._told = np.stack([stored[example][rng.integers(len(stored[example]))] for example in examples])
        self.title = f'stored embeddings of {source.title}'
        if self._told.shape[1] != generator.embedding_dimension:
            raise UserError(
                f'{source.title} has embeddings of {self._told.shape[1]} numbers, this model reads '
                f'{generator.embedding_dimension}'
            )

    def embeddings(self, rows: slice) -> np.ndarray:
        """See `Told`."""
        return self._generator.embed(self._told[rows]) if self._generator.kind == 'class' else self._told[rows]


def condition_source_of(
    generator: Generator, source: ExampleSource | None, count: int, seed: int
) -> ConditionSource | None:
    """What a model is told of `count` pictures; None if it takes nothing but noise.

    Raises:
        UserError: the data set has not what the model needs.
    """
    if generator.kind == 'unconditional':
        return None
    if generator.kind != 'text':
        return VectorConditions(generator, source, count, seed)
    if source is None:
        raise UserError('this model draws captions: name a data set that has some with --reference, or --classifier')
    return CaptionConditions(generator, source, count, seed)


class ImageObserver(Protocol):
    """Something that measures pictures as they are drawn."""

    def add(self, images: dict[int, np.ndarray]) -> None:
        """Is given the next pictures at every scale, uint8 `[n, s, s, 3]` by s."""


class GeneratedImages(ImageSource):
    """A model's largest pictures; picture i has the model's seed `seed + i`.

    Args:
        generator: the model.
        count: how many.
        seed: the first.
        told: what it is told.
        watchers: are shown every scale.
    """

    def __init__(
        self,
        generator: Generator,
        count: int,
        seed: int,
        told: ConditionSource | None,
        watchers: Sequence[ImageObserver] = (),
    ) -> None:
        self._generator = generator
        self._told = told
        self._seed = seed
        self._watchers = watchers
        self.count, self.size = count, generator.sizes[-1]
        of = f' of {told.title}' if told is not None else ''
        self.title = f'{generator.title}{of}, seeds from {seed}'

    def batches(self) -> Iterator[np.ndarray]:
        """Draws them; see `Pictures`."""
        for first in range(0, self.count, BATCH):
            rows = slice(first, min(first + BATCH, self.count))
            embeddings = None if self._told is None else self._told.embeddings(rows)
            seeds = range(self._seed + rows.start, self._seed + rows.stop)
            images = self._generator.generate_every_size(seeds, embeddings)
            for watcher in self._watchers:
                watcher.add(images)
            yield images[self.size]
