"""Images that a model generates while they are measured, from captions, classes, embeddings, or noise alone."""

import abc
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.caption_sampling import SampledCaptions, sample_captions
from stackgan_tf.evaluation.image_sources import BATCH, ImageSource
from stackgan_tf.generator import Generator
from stackgan_tf.system.errors import UserError


class ConditionSource(abc.ABC):
    """The conditions of generated images.

    Attributes:
        title: for people.
    """

    title: str

    @abc.abstractmethod
    def embeddings(self, rows: slice) -> np.ndarray:
        """The embeddings of n images: float32 `[n, T]`."""


class CaptionConditions(ConditionSource):
    """One caption of each of a data set's examples, in random order; see `sample_captions`.

    Args:
        generator: of kind text.
        source: the source of the captions.
        count: number of images.
        seed: the seed of the sampling.

    Attributes:
        sampled: the captions.

    Raises:
        UserError: the data set has no captions.
    """

    def __init__(self, generator: Generator, source: ExampleSource, count: int, seed: int) -> None:
        self._generator = generator
        self.sampled: SampledCaptions = sample_captions(source, count, seed)
        self.title = f'captions of {source.title}, one of each image'

    def embeddings(self, rows: slice) -> np.ndarray:
        """See `ConditionSource`."""
        return self._generator.embed(list(self.sampled.texts[rows]))


class VectorConditions(ConditionSource):
    """Labels or stored embeddings of a data set's examples, in random order.

    Raises:
        UserError: the data set has none, or not those that the model was trained with.
    """

    def __init__(self, generator: Generator, source: ExampleSource | None, count: int, seed: int) -> None:
        kind = 'class' if generator.kind == 'class' else 'embedding'
        if source is None:
            what = 'classes' if kind == 'class' else 'embeddings'
            raise UserError(f'this model needs {what} of a data set: name one with --reference, not a folder')
        self._generator = generator
        rng = np.random.default_rng(seed)
        usable = np.arange(source.count)
        if kind == 'class':  # images of an unknown class have a number beyond those of the classes
            usable = np.flatnonzero(source.labels() < len(source.class_names))
        if not len(usable):
            raise UserError(f'no image of {source.title} has a class')
        examples = np.concatenate([rng.permutation(usable) for _ in range(-(-count // len(usable)))])[:count]
        if kind == 'class':
            if list(source.class_names) != list(generator.class_names):
                raise UserError(f'{source.title} has other classes than this model was trained with')
            self._conditions = source.labels()[examples]
            self.title = f'classes of {source.title}'
            return
        stored = source.stored_embeddings()
        self._conditions = np.stack([stored[example][rng.integers(len(stored[example]))] for example in examples])
        self.title = f'stored embeddings of {source.title}'
        if self._conditions.shape[1] != generator.embedding_dimension:
            raise UserError(
                f'{source.title} has embeddings of {self._conditions.shape[1]} numbers, this model reads '
                f'{generator.embedding_dimension}'
            )

    def embeddings(self, rows: slice) -> np.ndarray:
        """See `ConditionSource`."""
        conditions = self._conditions[rows]
        return self._generator.embed(conditions) if self._generator.kind == 'class' else conditions


def condition_source_of(
    generator: Generator, source: ExampleSource | None, count: int, seed: int
) -> ConditionSource | None:
    """The conditions of `count` images of a model; None for an unconditional one.

    Raises:
        UserError: the data set lacks the conditions that the model needs.
    """
    if generator.kind == 'unconditional':
        return None
    if generator.kind != 'text':
        return VectorConditions(generator, source, count, seed)
    if source is None:
        raise UserError(
            'this model generates from captions: name a captioned data set with --reference or --classifier'
        )
    return CaptionConditions(generator, source, count, seed)


class ImageObserver(Protocol):
    """Measures images at every scale while they are generated."""

    def add(self, images: dict[int, np.ndarray]) -> None:
        """Takes the next images at every scale: uint8 `[n, s, s, 3]` by s."""


class GeneratedImages(ImageSource):
    """The images of a model at its largest scale; image i has the model's seed `seed + i`.

    Args:
        generator: the model.
        count: number of images.
        seed: the first seed.
        conditions: the conditions of the images; None for an unconditional model.
        observers: receive the images at every scale.
    """

    def __init__(
        self,
        generator: Generator,
        count: int,
        seed: int,
        conditions: ConditionSource | None,
        observers: Sequence[ImageObserver] = (),
    ) -> None:
        self._generator = generator
        self._conditions = conditions
        self._seed = seed
        self._observers = observers
        self.count, self.size = count, generator.sizes[-1]
        of_conditions = f' of {conditions.title}' if conditions is not None else ''
        self.title = f'{generator.title}{of_conditions}, seeds from {seed}'

    def batches(self) -> Iterator[np.ndarray]:
        """Generates the images; see `ImageSource`."""
        for first in range(0, self.count, BATCH):
            rows = slice(first, min(first + BATCH, self.count))
            embeddings = None if self._conditions is None else self._conditions.embeddings(rows)
            seeds = range(self._seed + rows.start, self._seed + rows.stop)
            images = self._generator.generate_every_size(seeds, embeddings)
            for observer in self._observers:
                observer.add(images)
            yield images[self.size]
