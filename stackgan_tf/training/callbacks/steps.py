"""The state of a phase, and the callbacks of every worker: steps, stopping, numbers that are not finite."""

import dataclasses
from typing import Any

import keras
import numpy as np

from stackgan_tf.system.interruption import StopRequest
from stackgan_tf.training.divergence import check_record, check_weights
from stackgan_tf.training.tick_report import Clock
from stackgan_tf.training.workers import Workers


@dataclasses.dataclass
class PhaseState:
    """The state of the phase at work, which its callbacks share.

    Attributes:
        step: number of steps trained.
        steps: number of steps of the phase.
        tick: steps between reports.
        checkpoint_every: steps between checkpoints.
        reported: the step of the last report.
        progress: what a checkpoint holds besides variables; see `Checkpoints.save`.
        clock: measures the pace.
        record: means over the tick that has just ended; None if it was cut by a stop, and is not reported.
        pace: of this tick, steps per second.
        samples: images of this tick, uint8 `[N, s, s, 3]`, by size.
        scores: of this tick, by name.
    """

    step: int
    steps: int
    tick: int
    checkpoint_every: int
    reported: int
    progress: dict[str, Any]
    clock: Clock
    record: dict[str, float] | None = None
    pace: float = 0.0
    samples: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    scores: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def tick_is_whole(self) -> bool:
        """Whether a tick ends at this step."""
        return self.step == self.steps or self.step % self.tick == 0

    @property
    def checkpoint_is_due(self) -> bool:
        """Whether a checkpoint of this step is to be written."""
        return self.step == self.steps or self.step % self.checkpoint_every == 0


class CountSteps(keras.callbacks.Callback):
    """Counts the steps, and reads the record of a tick: the only time that a host reads the sums of the losses."""

    def __init__(self, state: PhaseState) -> None:
        super().__init__()
        self.state = state

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Counts the steps of one call."""
        self.state.step += self.model.steps_per_execution
        self.state.clock.step_done(self.state.step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Reads the record of a whole tick and measures its pace."""
        state = self.state
        state.record, state.samples, state.scores = None, {}, {}
        if state.tick_is_whole:
            state.record = self.model.take_record(state.step - state.reported)
            state.pace = state.clock.steps_per_second(state.step)
            state.reported = state.step


class StopTogether(keras.callbacks.Callback):
    """Ends training on all workers after the same step when one of them is asked to stop."""

    def __init__(self, workers: Workers, stop: StopRequest) -> None:
        super().__init__()
        self._workers = workers
        self._stop = stop

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Asks all workers."""
        if self._workers.agree_to_stop(self._stop):
            self.model.stop_training = True


class CheckFinite(keras.callbacks.Callback):
    """Checks the record of each tick, and the weights before each checkpoint, the same on every worker."""

    def __init__(self, state: PhaseState) -> None:
        super().__init__()
        self._state = state

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Checks before anything is written.

        Raises:
            DivergedError: a number is not finite.
        """
        if self._state.checkpoint_is_due or self.model.stop_training:
            check_weights(self._state.step, self.model)
        if self._state.record is not None:
            check_record(self._state.step, self._state.record)
