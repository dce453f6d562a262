"""A run: trains the phases of a recipe one after the other, goes on where an earlier process stopped."""

import contextlib
import dataclasses
import functools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from stackgan_tf.data.embeddings import Embeddings, some_embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.interruption import InterruptedRunError, StopRequest
from stackgan_tf.training.computation import layers_in, prepare_steps
from stackgan_tf.training.devices import (
    all_devices,
    check_batch_size,
    check_compilation,
    distributed,
    set_up_operations,
)
from stackgan_tf.training.divergence import DivergedError, StepByStep
from stackgan_tf.training.generator_scores import GeneratorScores, generator_scores
from stackgan_tf.training.image_features import load_image_features
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.projector import write_projector
from stackgan_tf.training.replica_check import check_replicas
from stackgan_tf.training.scores import check_scored
from stackgan_tf.training.stage_one import load_stage_one
from stackgan_tf.training.text_encoders import embeddings_for, examples_for, refuse_orphans
from stackgan_tf.training.tick_report import TickReport, duration
from stackgan_tf.training.upkeep import Steps, Upkeep
from stackgan_tf.training.workers import Workers, join_workers


@dataclasses.dataclass(frozen=True)
class Run:
    """How a recipe's phases are trained.

    Attributes:
        phases: in order.
        tick: steps between reports.
        checkpoint_every: steps between checkpoints, a multiple of `tick`.
        seed: of the initial weights.
        threads_per_operation: of each operation on the CPU; 0: one a core.
        precision: one of `PRECISIONS`.
        jit_compile: whether XLA compiles the training step; of a seed it then makes other noise.
        steps_per_execution: steps that run without coming back to Python, at most a tick; a stop waits for them.
        keep_last: how many of the newest checkpoints stay, besides the best.
        keep_every_hours: if not 0, the first checkpoint after every so many hours of training stays too.
        rollbacks: how often a phase whose numbers are no longer finite goes back to its last checkpoint.
        rollback_rate: the learning rates are multiplied by this with each rollback.
    """

    phases: Sequence[Phase]
    tick: int
    checkpoint_every: int
    seed: int
    threads_per_operation: int = 0
    precision: str = 'float32'
    jit_compile: bool = False
    steps_per_execution: int = 1
    keep_last: int = 2
    keep_every_hours: float = 0.0
    rollbacks: int = 0
    rollback_rate: float = 0.5

    def train(self, directory: RunDirectory) -> None:
        """Trains what is left to train.

        Raises:
            UserError: something that the user can mend stands in the way.
            InterruptedRunError: asked to stop; a checkpoint was written.
        """
        set_up_operations(self.threads_per_operation)
        workers, strategy = join_workers()
        with workers.together(), directory.alone() if workers.chief else contextlib.nullcontext():
            with workers.chief_first():
                if workers.chief:
                    for phase in self.phases:
                        self._checkpoints(phase, directory.path).mend()
            workers.wait_for_files(lambda: self._reached(directory.path), directory.path)
            waiting = [phase for phase in self.phases if not self._finished(phase, directory.path)]
            if not waiting:
                say(f'{directory.path} is finished: its {len(self.phases)} phase(s) have all their steps.')
                return
            refuse_orphans(waiting, self.phases, directory.path)
            # One for all phases: a second one would use the collective operations' numbers again, for other shapes.
            strategy = strategy or all_devices()
            for phase in waiting:
                self._train_phase(phase, directory, workers, strategy)

    def _train_phase(
        self, phase: Phase, directory: RunDirectory, workers: Workers, strategy: tf.distribute.Strategy
    ) -> None:
        """Trains a phase; if it diverges and may go back, again from its last checkpoint on."""
        rollbacks = 0
        while True:
            work = self._prepare(phase, directory.path, workers, strategy, rollbacks)
            start, rollbacks = int(work.progress['step']), work.progress['rollbacks']
            try:
                self._go_on(work, directory, workers)
                return
            except DivergedError as error:
                diverged = error.with_traceback(None)  # which would keep the model
            start = max(start, *work.checkpoints.steps(), 0)
            del work
            last = f'the checkpoint of step {start}' if start else 'the beginning'
            say(f'{phase.name}: {diverged}; going through the steps from {last} on again, to see what was first ...')
            first = self._prepare(phase, directory.path, workers, strategy, rollbacks).first_break(diverged)
            rollbacks += 1
            rates = f'{self.rollback_rate**rollbacks:g} times the learning rates'
            if rollbacks > self.rollbacks:
                raise UserError(
                    f'{phase.name}: {first}. Stopped at {last}: set Recipe.rollbacks = {rollbacks} to go on from there '
                    f'at {rates}, or another recipe in a new --workdir'
                )
            say(f'{phase.name}: {first}; going on from {last} at {rates}')

    def _prepare(
        self, phase: Phase, directory: Path, workers: Workers, strategy: tf.distribute.Strategy, rollbacks: int
    ) -> '_Work':
        """Makes a phase's model and data, as they were at its last checkpoint.

        Everything that can be wrong with the recipe shows before anything is written.
        """
        workers.wait_for_files(lambda: self._reached(directory), directory)
        checkpoints = self._checkpoints(phase, directory)
        with workers.chief_first():
            source = phase.data()
            test_source = phase.test_data() if phase.test_data is not None else None
        keras.utils.set_random_seed(self.seed)
        with strategy.scope(), layers_in(self.precision):
            model = phase.make_model()
        check_scored(model, test_source, phase)
        source = examples_for(phase, model, source)
        if test_source is not None:
            test_source = examples_for(phase, model, test_source)
        for each in (source, test_source):
            if each is not None:
                each.check_size(model.sizes[-1])
        with workers.chief_first():
            embeddings = embeddings_for(phase, model, source, directory)
        if not checkpoints.steps():
            model.initialize(None if embeddings is None else some_embeddings(embeddings, source.count))
            fingerprint = None if embeddings is None else embeddings.fingerprint
            load_stage_one(phase, model, self.phases, directory, fingerprint)
            load_image_features(phase, model, self.phases, directory)
        check_batch_size(model.batch_size, strategy)
        check_compilation(self.jit_compile, strategy)
        scored = None
        if workers.chief:
            scored = generator_scores(phase, model, source, test_source, directory)
            _check_space(directory, checkpoints, model, self.keep_last + (scored is not None))
        progress = _progress(checkpoints.restore(model.checkpoint_variables()), model, source, embeddings)
        progress |= self._about(phase, model, embeddings)
        progress['rollbacks'] = max(progress['rollbacks'], rollbacks)
        model.scale_rates(self.rollback_rate ** progress['rollbacks'])
        return _Work(phase, model, strategy, source, test_source, embeddings, scored, checkpoints, progress, self)

    def _go_on(self, work: '_Work', directory: RunDirectory, workers: Workers) -> None:
        """Trains all steps that are left.

        Raises:
            DivergedError: something is not finite any more.
            InterruptedRunError: asked to stop; a checkpoint was written.
        """
        phase, model, start = work.phase, work.model, int(work.progress['step'])
        with StopRequest() as stop:
            upkeep = Steps(model, workers, stop, phase.steps, self.tick, self.checkpoint_every, work.progress)
            if workers.chief:
                directory.open()
                upkeep = self._upkeep(work, directory.path / phase.name, workers, stop)
            say(_greeting(phase, start, model, work.source.count, work.strategy))
            check_replicas(model, work.strategy)
            for first, length, ticks in ticks_between(start, phase.steps, self.tick):
                work.fit(first, length, ticks, upkeep)
                if signal_number := workers.agree_to_stop(stop):
                    if isinstance(upkeep, Upkeep) and work.checkpoints.steps()[-1:] != [upkeep.step]:
                        upkeep.save()  # the signal came after the tick's own save
                    raise InterruptedRunError(signal_number)
            if isinstance(upkeep, Upkeep):
                say(f'{phase.name} is done: {phase.steps} steps in {duration(upkeep.clock.trained_seconds)}')

    def _upkeep(self, work: '_Work', folder: Path, workers: Workers, stop: StopRequest) -> Upkeep:
        if work.embeddings is not None:
            write_projector(folder, work.embeddings, work.source.count)
        return Upkeep(
            work.model,
            folder,
            work.checkpoints,
            TickReport(folder, work.phase.name, work.phase.steps, int(work.progress['step'])),
            workers,
            stop,
            self.tick,
            self.checkpoint_every,
            work.progress,
            work.test_source,
            work.embeddings,
            work.scored,
        )

    def _about(self, phase: Phase, model: TrainedModel, embeddings: Embeddings | None) -> dict[str, Any]:
        """What a checkpoint says of a finished model, so that it opens without its recipe."""
        source = {} if embeddings is None else dict(embeddings.condition_source)
        if isinstance(phase.text_encoder, str):
            source = {'phase': phase.text_encoder}
        return {
            'model': type(model).__name__,
            'phases': [each.name for each in self.phases],
            'condition_source': source,
            **model.description(),
        }

    def _reached(self, directory: Path) -> list[int]:
        """The step of the newest checkpoint of each phase, 0 if it has none."""
        return [max(self._checkpoints(phase, directory).steps(), default=0) for phase in self.phases]

    def _checkpoints(self, phase: Phase, directory: Path) -> Checkpoints:
        return Checkpoints(directory / phase.name / 'checkpoints', self.keep_last, self.keep_every_hours)

    def _finished(self, phase: Phase, directory: Path) -> bool:
        steps = self._checkpoints(phase, directory).steps()
        return bool(steps) and steps[-1] >= phase.steps


@dataclasses.dataclass(frozen=True)
class _Work:
    """A phase at work: its model as it was at the last checkpoint, and what it is trained on."""

    phase: Phase
    model: TrainedModel
    strategy: tf.distribute.Strategy
    source: ExampleSource
    test_source: ExampleSource | None
    embeddings: Embeddings | None
    scored: GeneratorScores | None
    checkpoints: Checkpoints
    progress: dict[str, Any]
    run: Run

    def fit(self, first: int, length: int, ticks: int, callback: keras.callbacks.Callback) -> None:
        """Trains ticks of so many steps each, from step `first` on."""
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
            embeddings=self.embeddings,
            captions_averaged=self.phase.captions_averaged,
        )
        run = self.run
        prepare_steps(self.model, run.precision, run.jit_compile, run.steps_per_execution, length)
        self.model.fit(
            distributed(batches, self.strategy),
            epochs=ticks,
            steps_per_epoch=length,
            shuffle=False,
            verbose=0,
            callbacks=[callback],
        )

    def first_break(self, diverged: DivergedError) -> DivergedError:
        """Where a phase that diverged first broke; what was seen then, if it does not come again."""
        start = int(self.progress['step'])
        try:
            self.fit(start, 1, diverged.step - start, StepByStep(self.model, start))
        except DivergedError as first:
            return first
        return diverged


def _progress(
    restored: dict[str, Any] | None, model: TrainedModel, source: ExampleSource, embeddings: Embeddings | None
) -> dict[str, Any]:
    """How far a phase is, and what it was trained on.

    Raises:
        UserError: until now it was trained on other embeddings.
    """
    progress = restored or {'step': 0, 'reported': 0, 'seconds': 0.0, 'rollbacks': 0}
    images = progress.get('images', source.count)
    if images != source.count:
        say(f'This run had {images} images until now: the order of images is not that of an uninterrupted run.')
    fingerprint = embeddings.fingerprint if embeddings is not None else None
    if progress.get('embeddings', fingerprint) != fingerprint:
        raise UserError(
            f'this run was trained on the embeddings {progress["embeddings"]}, now they are {fingerprint}: go on with '
            'the text encoder that it had, or name another --workdir'
        )
    # The last part of a folder's path: model cards name the data.
    data = Path(source.title).name if Path(source.title).is_absolute() else source.title
    return {**progress, 'data': data, 'images': source.count, 'embeddings': fingerprint}


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


def _greeting(phase: Phase, start: int, model: TrainedModel, count: int, strategy: tf.distribute.Strategy) -> str:
    going_on = f', going on after step {start}' if start else ''
    return (
        f'{phase.name}: {phase.steps} steps of {model.batch_size} of {count} pictures on '
        f'{strategy.num_replicas_in_sync} device(s){going_on}; the first step takes a while'
    )


def _check_space(directory: Path, checkpoints: Checkpoints, model: TrainedModel, kept: int) -> None:
    """Refuses to begin what the disk cannot hold: the checkpoints that are kept and one being written."""
    needed = (kept + 1 - len(checkpoints.steps())) * checkpoint_bytes(model)
    there = next(folder for folder in (directory, *directory.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise UserError(
            f'{there} has {free / 2**20:.0f} MB free, the checkpoints of this run need {needed / 2**20:.0f} MB: '
            'free some space or name another --workdir'
        )


def checkpoint_bytes(model: TrainedModel) -> int:
    """The size of one checkpoint, bytes: weights of all networks and two moments of Adam for the trainable ones."""
    return 4 * sum(
        variable.shape.num_elements() for piece in model.checkpoint_variables().values() for variable in piece
    )
