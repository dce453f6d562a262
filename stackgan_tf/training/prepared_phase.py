"""A phase at work: its model as it was at the last checkpoint, its data, and how far it is."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from stackgan_tf.data.embeddings import Embeddings, embedding_scale
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.computation import prepare_steps
from stackgan_tf.training.devices import distributed
from stackgan_tf.training.divergence import DivergedError, StepByStep
from stackgan_tf.training.generator_scores import GeneratorScores
from stackgan_tf.training.phase import Phase


@dataclasses.dataclass(frozen=True)
class PreparedPhase:
    """A phase with its model and data, as they were at its last checkpoint.

    Attributes:
        phase: of the recipe.
        model: with the weights of the checkpoint.
        strategy: that trains it.
        source: training examples.
        test_source: examples to score on.
        embeddings: that the model is conditioned on.
        scores: of a generator.
        checkpoints: of the phase.
        progress: what a checkpoint holds besides variables.
        precision: see `Run`.
        jit_compile: see `Run`.
        steps_per_execution: see `Run`.
    """

    phase: Phase
    model: TrainedModel
    strategy: tf.distribute.Strategy
    source: ExampleSource
    test_source: ExampleSource | None
    embeddings: Embeddings | None
    scores: GeneratorScores | None
    checkpoints: Checkpoints
    progress: dict[str, Any]
    precision: str
    jit_compile: bool
    steps_per_execution: int

    @property
    def start(self) -> int:
        """The step of the last checkpoint."""
        return int(self.progress['step'])

    def fit(self, first: int, length: int, ticks: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Trains from step `first` on, for a number of ticks of `length` steps each."""
        batches = functools.partial(
            training_batches,
            self.source,
            self.model.sizes,
            self.model.batch_size,
            self.model.seed,
            start_step=first,
            steps=length * ticks,
            flip=self.phase.flip,
            parts=self.model.batch_keys,
            alphabet=self.model.alphabet,
            embeddings=self.embeddings,
            captions_averaged=self.phase.captions_averaged,
            drop_remainder=self.phase.drop_remainder,
        )
        prepare_steps(self.model, self.precision, self.jit_compile, self.steps_per_execution, length)
        self.model.fit(
            distributed(batches, self.strategy),
            epochs=ticks,
            steps_per_epoch=length,
            shuffle=False,
            verbose=0,
            callbacks=list(callbacks),
        )

    def find_divergence(self, diverged: DivergedError) -> DivergedError:
        """Repeats the steps one by one up to a divergence.

        Returns:
            The first one; `diverged` if it does not come again.
        """
        steps = diverged.step - self.start
        try:
            self.fit(self.start, 1, steps, [StepByStep(self.model, self.start)])
        except DivergedError as first:
            return first
        return diverged


def resumed_progress(
    restored: dict[str, Any] | None, source: ExampleSource, embeddings: Embeddings | None, moved: bool = False
) -> dict[str, Any]:
    """How far a phase is, and the data that it is trained on.

    Args:
        restored: the progress of its last checkpoint, if there is one.
        source: training examples.
        embeddings: that the model is conditioned on.
        moved: whether the examples are at another place than before.

    Raises:
        UserError: the phase was trained on other embeddings; or examples at another place are others.
    """
    progress = restored or {'step': 0, 'reported': 0, 'seconds': 0.0, 'rollbacks': 0}
    if moved and progress.get('listing', source.fingerprint) != source.fingerprint:
        raise UserError(
            f'{source.title} has other images than this run was trained on, by names and sizes: name their folder, or '
            'another --workdir'
        )
    images = progress.get('images', source.count)
    if images != source.count:
        say(f'This run had {images} images until now: the order of images is not that of an uninterrupted run.')
    fingerprint = embeddings.fingerprint if embeddings is not None else None
    if progress.get('embeddings', fingerprint) != fingerprint:
        raise UserError(
            f'this run was trained on the embeddings {progress["embeddings"]}, now they are {fingerprint}: resume it '
            'with its own text encoder, or name another --workdir'
        )
    # The last part of a folder's path: model cards name the data.
    data = Path(source.title).name if Path(source.title).is_absolute() else source.title
    scale = embedding_scale(embeddings, source.count) if embeddings is not None else None
    described = {'data': data, 'images': source.count, 'listing': source.fingerprint}
    return {**progress, **described, 'embeddings': fingerprint, 'embedding_scale': scale}


def ticks_between(start: int, stop: int, tick: int) -> Iterator[tuple[int, int, int]]:
    """Cuts the steps from `start` to `stop` so that ticks end at multiples of `tick`, and at `stop`.

    Yields:
        First step, steps of a tick, number of such ticks: at most three times.
    """
    head = min(-start % tick, stop - start)
    if head:
        yield start, head, 1
        start += head
    whole = (stop - start) // tick
    if whole:
        yield start, tick, whole
        start += whole * tick
    if start < stop:
        yield start, stop - start, 1
