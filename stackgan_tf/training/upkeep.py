"""What happens between the steps of a phase: reports and samples at ticks, checkpoints, stopping when asked."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.data.embeddings import Embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.figures.caption_grid import caption_grid
from stackgan_tf.figures.image_grid import image_grid, write_png
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.networks.descriptions import describe_network
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.interruption import StopRequest
from stackgan_tf.training.divergence import check_record, check_weights
from stackgan_tf.training.generator_scores import GeneratorScores
from stackgan_tf.training.health import DIVERSITY, leads, sample_diversity
from stackgan_tf.training.scores import scores
from stackgan_tf.training.tick_report import Clock, TickReport
from stackgan_tf.training.workers import Workers

SAMPLES = 64
_ROW = 8


class Steps(keras.callbacks.Callback):
    """What every worker does: counts steps, stops with the others, notices with them that numbers are not finite.

    An epoch of Keras is a tick.
    """

    def __init__(
        self,
        model: TrainedModel,
        workers: Workers,
        stop: StopRequest,
        steps: int,
        tick: int,
        checkpoint_every: int,
        progress: dict[str, Any],
    ) -> None:
        super().__init__()
        self._trained = model
        self.workers = workers
        self.stop = stop
        self.steps = steps
        self.tick = tick
        self.checkpoint_every = checkpoint_every
        self.step = int(progress['step'])
        self.reported = int(progress['reported'])  # the step of the last report

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Counts the steps; if a worker is asked to stop, ends training."""
        self.step += self._trained.steps_per_execution
        if self.workers.agree_to_stop(self.stop):
            self._trained.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Raises `DivergedError` where the chief does, and begins the record of a tick anew."""
        if self._due or self._trained.stop_training:
            check_weights(self.step, self._trained)
        if self._reports:
            check_record(self.step, self.take_record())

    @property
    def _due(self) -> bool:
        """Whether a checkpoint is."""
        return self.step == self.steps or self.step % self.checkpoint_every == 0

    @property
    def _reports(self) -> bool:
        """Whether a tick is whole, and not cut by a stop."""
        return self.step == self.steps or self.step % self.tick == 0

    def take_record(self) -> dict[str, float]:
        """The means since the last report."""
        record = self._trained.take_record(self.step - self.reported)
        self.reported = self.step
        return record


class Upkeep(Steps):
    """The one callback of a phase on the worker that writes."""

    def __init__(
        self,
        model: TrainedModel,
        directory: Path,
        checkpoints: Checkpoints,
        report: TickReport,
        workers: Workers,
        stop: StopRequest,
        tick: int,
        checkpoint_every: int,
        progress: dict[str, Any],
        test_source: ExampleSource | None = None,
        embeddings: Embeddings | None = None,
        scored: GeneratorScores | None = None,
    ) -> None:
        super().__init__(model, workers, stop, report.steps, tick, checkpoint_every, progress)
        self.directory = directory
        self.checkpoints = checkpoints
        self.report = report
        self.clock = Clock(progress['seconds'])
        self._progress = progress
        generates = isinstance(model, AdversarialModel)
        self._generator = NetworkGenerator(model.generator_ema) if generates else None
        self._test_source = test_source
        self._scored = scored
        self._shown: np.ndarray | None = None
        self._words: list[str] = []
        if embeddings is not None:
            self._shown, self._words = _shown_embeddings(embeddings, int(progress['images']))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """See `Steps`."""
        super().on_train_batch_end(batch, logs)
        self.clock.step_done(self.step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Reports a whole tick, writes samples, and a checkpoint where one is due.

        Raises:
            DivergedError: something is not finite any more; and then it is in no checkpoint.
        """
        if self._due or self._trained.stop_training:
            check_weights(self.step, self._trained)
        if self._reports:
            record = self.take_record()
            pace = self.clock.steps_per_second(self.step)
            record |= leads(record)
            images = self._samples()
            if images:
                record[DIVERSITY] = sample_diversity(images[max(images)], self._shown is not None)
            if self._due:
                check_record(self.step, record)  # before scores are made of it
                record |= self._scores()
            self.report.report(self.step, record, pace, self._trained.batch_size)
            if images:
                self._write_samples(images)
        if self._due or self.stop.signal_number is not None:
            self.save()

    def _scores(self) -> dict[str, float]:
        """Scores what is trained, and remembers whether it is the best so far."""
        start = time.monotonic()
        latest = scores(self._trained, self._test_source)
        if self._scored is not None:
            latest |= self._scored.scores()
            if self._scored.best in latest:
                value, best = latest[self._scored.best], self.checkpoints.best()
                if best is None or self._scored.is_better(value, best['value']):
                    self._progress['best'] = {'step': self.step, 'score': self._scored.best, 'value': value}
        self.clock.leave_out(time.monotonic() - start)
        return latest

    def _samples(self) -> dict[int, np.ndarray]:
        """The averaged generator's images of the same seeds (and captions) as ever, by size; none without one."""
        return self._generator.generate_every_size(range(SAMPLES), self._shown) if self._generator else {}

    def _write_samples(self, images: dict[int, np.ndarray]) -> None:
        """Writes a picture, and to TensorBoard."""
        grids = {size: image_grid(of_size) for size, of_size in images.items()}
        write_png(self.directory / 'samples' / f'step_{self.step:06d}.png', grids[max(grids)])
        shown = {size: caption_grid(self._words, of_size) for size, of_size in images.items()} if self._words else grids
        with self.report.writer.as_default(self.step):
            for size, grid in shown.items():
                tf.summary.image(f'samples/{size} px', grid[None])
            self.report.writer.flush()

    def save(self) -> None:
        """Writes a checkpoint of this step."""
        self._progress |= {'step': self.step, 'reported': self.reported, 'seconds': self.clock.trained_seconds}
        networks = {name: describe_network(network) for name, network in self._trained.checkpoint_networks().items()}
        self.checkpoints.save(self.step, self._trained.checkpoint_variables(), self._progress, networks)


def _shown_embeddings(embeddings: Embeddings, count: int) -> tuple[np.ndarray, list[str]]:
    """What samples are drawn of: the first caption of eight examples, each for a row of eight; and their words."""
    indices = np.array([row * count // _ROW for row in range(_ROW)])
    drawn = embeddings.drawn(tf.constant(indices), tf.zeros(_ROW)).numpy()
    return np.repeat(drawn, SAMPLES // _ROW, axis=0), embeddings.words(indices)
