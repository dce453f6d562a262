"""A run: trains the phases of a recipe one after the other, and resumes where an earlier process stopped."""

import contextlib
import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.data.embeddings import Embeddings, sample_embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.interruption import InterruptedRunError, StopRequest
from stackgan_tf.system.ranges import AtLeast, Count, MoreThan, OneOf, Seed, Weight
from stackgan_tf.training.callbacks.reports import ComputeScores, EstimateTime, MetricsLog, SaveCheckpoints
from stackgan_tf.training.callbacks.samples import GenerateSamples, WriteSamples, sample_conditions
from stackgan_tf.training.callbacks.steps import CheckFinite, CountSteps, PhaseState, StopTogether
from stackgan_tf.training.computation import PRECISIONS, layers_in
from stackgan_tf.training.devices import all_devices, check_batch_size, check_compilation, set_up_operations
from stackgan_tf.training.divergence import DivergedError
from stackgan_tf.training.generator_scores import generator_scores
from stackgan_tf.training.image_features import load_image_features
from stackgan_tf.training.initial_weights import load_initial_weights
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.prepared_phase import PreparedPhase, resumed_progress, ticks_between
from stackgan_tf.training.projector import write_projector
from stackgan_tf.training.replica_check import check_replicas
from stackgan_tf.training.scores import check_scored
from stackgan_tf.training.stage_one import load_stage_one
from stackgan_tf.training.text_encoders import (
    check_captions,
    check_dependents,
    choose_alphabet,
    embeddings_for,
    examples_for,
)
from stackgan_tf.training.tick_report import Clock, TickReport, duration
from stackgan_tf.training.workers import Workers, join_workers


@dataclasses.dataclass(frozen=True)
class Run:
    """How a recipe's phases are trained.

    Attributes:
        phases: in order.
        tick: steps between reports.
        checkpoint_every: steps between checkpoints, a multiple of `tick`.
        seed: of the initial weights.
        threads_per_operation: of each operation on the CPU; 0: one per core.
        precision: one of `PRECISIONS`.
        jit_compile: whether XLA compiles the training step; it then draws other noise from the same seed.
        steps_per_execution: steps that run without returning to Python, at most a tick; a stop waits for them.
        keep_last: how many of the newest checkpoints are kept, besides the best.
        keep_every_hours: if not 0, the first checkpoint after each such period of training is kept too.
        rollbacks: how often a phase whose numbers are not finite returns to its last checkpoint.
        rollback_rate: the learning rates are multiplied by this with each rollback.
    """

    phases: Sequence[Phase]
    tick: Count
    checkpoint_every: Count
    seed: Seed
    threads_per_operation: Annotated[int, AtLeast(0)] = 0
    precision: Annotated[str, OneOf(PRECISIONS)] = 'float32'
    jit_compile: bool = False
    steps_per_execution: Count = 1
    keep_last: Count = 2
    keep_every_hours: Weight = 0.0
    rollbacks: Annotated[int, AtLeast(0)] = 0
    rollback_rate: Annotated[float, MoreThan(0)] = 0.5

    def train(self, directory: RunDirectory) -> None:
        """Trains the phases that are not finished.

        Raises:
            UserError: the recipe, the data or the machine does not allow it.
            InterruptedRunError: asked to stop; a checkpoint was written.
        """
        set_up_operations(self.threads_per_operation)
        workers, strategy = join_workers()
        with workers.together(), directory.locked() if workers.chief else contextlib.nullcontext():
            with workers.chief_first():
                if workers.chief:
                    for phase in self.phases:
                        self._checkpoints(phase, directory.path).repair()
            workers.wait_for_files(lambda: self._reached(directory.path), directory.path)
            waiting = [phase for phase in self.phases if not self._finished(phase, directory.path)]
            if not waiting:
                say(f'{directory.path} is finished: its {len(self.phases)} phase(s) have all their steps.')
                return
            check_dependents(waiting, self.phases, directory.path)
            # One for all phases: a second strategy would reuse the numbers of collective operations, for other shapes.
            strategy = strategy or all_devices()
            for phase in waiting:
                self._train_phase(phase, directory, workers, strategy)

    def _train_phase(
        self, phase: Phase, directory: RunDirectory, workers: Workers, strategy: tf.distribute.Strategy
    ) -> None:
        """Trains a phase; after a divergence, again from its last checkpoint if rollbacks are left."""
        rollbacks = 0
        while True:
            work = self._prepare(phase, directory, workers, strategy, rollbacks)
            start, rollbacks = work.start, work.progress['rollbacks']
            try:
                self._resume(work, directory, workers)
                return
            except DivergedError as error:
                diverged = error.with_traceback(None)  # the traceback would keep the model
            start = max(start, *work.checkpoints.steps(), 0)
            del work
            last = f'the checkpoint of step {start}' if start else 'the beginning'
            say(f'{phase.name}: {diverged}; repeating the steps from {last} one by one to find the first ...')
            first = self._prepare(phase, directory, workers, strategy, rollbacks).find_divergence(diverged)
            rollbacks += 1
            rates = f'{self.rollback_rate**rollbacks:g} times the learning rates'
            if rollbacks > self.rollbacks:
                raise UserError(
                    f'{phase.name}: {first}. Stopped at {last}: set Recipe.rollbacks = {rollbacks} to resume from '
                    f'there at {rates}, or another recipe in a new --workdir'
                )
            say(f'{phase.name}: {first}; resuming from {last} at {rates}')

    def _prepare(
        self, phase: Phase, run: RunDirectory, workers: Workers, strategy: tf.distribute.Strategy, rollbacks: int
    ) -> PreparedPhase:
        """Makes a phase's model and data, as they were at its last checkpoint.

        It finds all faults of the recipe before anything is written.
        """
        directory = run.path
        workers.wait_for_files(lambda: self._reached(directory), directory)
        checkpoints = self._checkpoints(phase, directory)
        with workers.chief_first():
            source = phase.data()
            test_source = phase.test_data() if phase.test_data is not None else None
        with strategy.scope(), layers_in(self.precision):
            model = self._make_model(phase, source, checkpoints)
        check_scored(model, test_source, phase)
        for each in (source, test_source):
            if each is not None:
                each.check_size(model.sizes[-1])
                if 'tokens' in model.batch_keys:
                    each.check_captions()
        if 'tokens' in model.batch_keys:
            check_captions(phase, source, model.alphabet)
        with workers.chief_first():
            source = examples_for(phase, model, source)
            if test_source is not None:
                test_source = examples_for(phase, model, test_source)
            embeddings = embeddings_for(phase, model, source, directory)
            # Reads image folders into their cache, if nothing above did.
            for each in (source, test_source):
                if each is not None and not each.count:
                    raise UserError(f'{each.title} has no images')
        if not checkpoints.steps():
            model.initialize(None if embeddings is None else sample_embeddings(embeddings, source.count))
            fingerprint = None if embeddings is None else embeddings.fingerprint
            load_stage_one(phase, model, self.phases, directory, fingerprint)
            load_image_features(phase, model, self.phases, directory)
            load_initial_weights(phase, model)
        check_batch_size(model.batch_size, strategy)
        check_compilation(self.jit_compile, strategy)
        scores = None
        if workers.chief:
            scores = generator_scores(phase, model, source, test_source, directory)
            _check_space(directory, checkpoints, model, self.keep_last + (scores is not None))
        progress = resumed_progress(checkpoints.restore(model.checkpoint_variables()), source, embeddings, run.moved)
        progress |= self._description(model, embeddings)
        progress['rollbacks'] = max(progress['rollbacks'], rollbacks)
        model.scale_rates(self.rollback_rate ** progress['rollbacks'])
        return PreparedPhase(
            phase,
            model,
            strategy,
            source,
            test_source,
            embeddings,
            scores,
            checkpoints,
            progress,
            self.precision,
            self.jit_compile,
            self.steps_per_execution,
        )

    def _make_model(self, phase: Phase, source: ExampleSource, checkpoints: Checkpoints) -> TrainedModel:
        keras.utils.set_random_seed(self.seed)
        model = phase.make_model()
        if isinstance(model, TextMatching) and model.automatic_alphabet:
            keras.utils.set_random_seed(self.seed)
            model = phase.make_model(choose_alphabet(phase, source, checkpoints))
        return model

    def _resume(self, work: PreparedPhase, directory: RunDirectory, workers: Workers) -> None:
        """Trains all steps that are left.

        Raises:
            DivergedError: a number is not finite.
            InterruptedRunError: asked to stop; a checkpoint was written.
        """
        phase, model, start, progress = work.phase, work.model, work.start, work.progress
        with StopRequest() as stop:
            clock = Clock(progress['seconds'])
            reported = int(progress['reported'])
            state = PhaseState(start, phase.steps, self.tick, self.checkpoint_every, reported, progress, clock)
            callbacks = [CountSteps(state), StopTogether(workers, stop), CheckFinite(state)]
            saving = SaveCheckpoints(state, work.checkpoints, stop)
            if workers.chief:
                directory.open()
                last = phase is self.phases[-1]
                callbacks += [EstimateTime(state, phase.name, last)]
                callbacks += [*_report_callbacks(work, state, directory.path / phase.name), saving]
            say(_greeting(phase, start, model, work.source.count, work.strategy))
            check_replicas(model, work.strategy)
            for first, length, ticks in ticks_between(start, phase.steps, self.tick):
                work.fit(first, length, ticks, callbacks)
                if signal_number := workers.agree_to_stop(stop):
                    if workers.chief:
                        saving.save()  # if the signal came after the tick's own checkpoint was written
                    raise InterruptedRunError(signal_number)
            say(f'{phase.name} is done: {phase.steps} steps in {duration(clock.trained_seconds)}')

    def _description(self, model: TrainedModel, embeddings: Embeddings | None) -> dict[str, Any]:
        """The model as a checkpoint describes it, so that it loads without its recipe."""
        return {
            'model': type(model).__name__,
            'phases': [each.name for each in self.phases],
            'condition_source': {} if embeddings is None else dict(embeddings.condition_source),
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


def _report_callbacks(work: PreparedPhase, state: PhaseState, folder: Path) -> list[keras.callbacks.Callback]:
    """The callbacks that score and report, in their order."""
    embeddings: np.ndarray | None = None
    captions: list[str] = []
    if work.embeddings is not None:
        write_projector(folder, work.embeddings, work.source.count)
        embeddings, captions = sample_conditions(work.embeddings, work.source.count)
    report = TickReport(folder, work.phase.name, work.phase.steps, work.start)
    callbacks = [
        ComputeScores(state, work.checkpoints, work.test_source, work.scores),
        MetricsLog(state, report, conditional=embeddings is not None),
    ]
    if isinstance(work.model, AdversarialModel):
        generator = NetworkGenerator(work.model.generator_ema)
        callbacks.insert(0, GenerateSamples(state, generator, embeddings))
        callbacks.append(WriteSamples(state, folder, report.writer, captions))
    return callbacks


def _greeting(phase: Phase, start: int, model: TrainedModel, count: int, strategy: tf.distribute.Strategy) -> str:
    resuming = f', resuming after step {start}' if start else ''
    return (
        f'{phase.name}: {phase.steps} steps of {model.batch_size} of {count} images on '
        f'{strategy.num_replicas_in_sync} device(s){resuming}; the first step takes a while'
    )


def _check_space(directory: Path, checkpoints: Checkpoints, model: TrainedModel, kept: int) -> None:
    """Refuses a run whose checkpoints do not fit on the disk: those that are kept, and one that is being written."""
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
    every = (variable for variables in model.checkpoint_variables().values() for variable in variables)
    return 4 * sum(variable.shape.num_elements() for variable in every)
