"""What the chief reports at ticks: scores, metrics and checkpoints."""

import time

import keras

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.networks.descriptions import describe_network
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.console import say
from stackgan_tf.system.interruption import StopRequest
from stackgan_tf.training.callbacks.steps import PhaseState
from stackgan_tf.training.generator_scores import GeneratorScores
from stackgan_tf.training.health import DIVERSITY, leads, sample_diversity
from stackgan_tf.training.scores import scores_on_test_data
from stackgan_tf.training.tick_report import TickReport

_MEASURED_SECONDS = 8.0  # before the time of a phase is estimated
_LOOK_SECONDS = 120.0  # of a first look
_MINUTES_FROM = 90.0  # seconds from which a time is said in minutes


class ComputeScores(keras.callbacks.Callback):
    """Scores the model with each checkpoint, and notes in the progress whether it is the best so far.

    Args:
        state: of the phase.
        checkpoints: of the phase.
        test_source: data to score on, for models other than generators.
        generator_scores: of a generator, where its recipe asks for them.
    """

    def __init__(
        self,
        state: PhaseState,
        checkpoints: Checkpoints,
        test_source: ExampleSource | None,
        generator_scores: GeneratorScores | None,
    ) -> None:
        super().__init__()
        self._state = state
        self._checkpoints = checkpoints
        self._test_source = test_source
        self._generator_scores = generator_scores

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Scores where a checkpoint is due; the pace leaves this time out."""
        if self._state.record is None or not self._state.checkpoint_is_due:
            return
        start = time.monotonic()
        found = {} if self._test_source is None else scores_on_test_data(self.model, self._test_source)
        if self._generator_scores is not None:
            found |= self._generator_scores.scores()
            self._note_best(self._generator_scores, found)
        self._state.scores = found
        self._state.clock.leave_out(time.monotonic() - start)

    def _note_best(self, scored: GeneratorScores, found: dict[str, float]) -> None:
        if scored.best in found:
            value, best = found[scored.best], self._checkpoints.best()
            if best is None or scored.is_better(value, best['value']):
                self._state.progress['best'] = {'step': self._state.step, 'score': scored.best, 'value': value}


class EstimateTime(keras.callbacks.Callback):
    """Says once, after the first seconds of a phase, how long the phase takes on this machine.

    Args:
        state: of the phase.
        phase: its name.
        last: whether it is the run's last phase, whose steps `--steps` sets.
    """

    def __init__(self, state: PhaseState, phase: str, last: bool) -> None:
        super().__init__()
        self._state = state
        self._phase = phase
        self._last = last
        self._first: tuple[float, int] | None = None
        self._said = False

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Measures without the first step, which builds the graph."""
        state = self._state
        if self._first is None:
            self._first = time.monotonic(), state.step
        seconds, steps = time.monotonic() - self._first[0], state.step - self._first[1]
        if self._said or seconds < _MEASURED_SECONDS or not steps:
            return
        self._said = True
        say(time_estimate(self._phase, state, steps / seconds, self.model.batch_size, self._last))


def time_estimate(phase: str, state: PhaseState, pace: float, batch_size: int, last: bool) -> str:
    """The line of `EstimateTime`; where the run's last phase takes long, with the steps of a first look.

    Args:
        phase: its name.
        state: of the phase.
        pace: steps per second.
        batch_size: images of a step.
        last: see `EstimateTime`.
    """
    left = (state.steps - state.step) / pace
    shown = f'{left / 60:.0f} minutes' if left >= _MINUTES_FROM else f'{left:.0f} seconds'
    line = f'{phase}: about {shown} on this machine ({pace * batch_size:.0f} images/s)'
    look = round(_LOOK_SECONDS * pace / state.tick) * state.tick
    if not last or left < 2 * _LOOK_SECONDS or look <= state.step:
        return line
    return f'{line}; for a first look: --steps={look}'


class MetricsLog(keras.callbacks.Callback):
    """Reports each whole tick: the status line, `metrics.jsonl` and TensorBoard's scalars.

    Args:
        state: of the phase.
        report: writes.
        conditional: whether samples are in rows of one caption each.
    """

    def __init__(self, state: PhaseState, report: TickReport, conditional: bool) -> None:
        super().__init__()
        self._state = state
        self._report = report
        self._conditional = conditional

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Reports the record, the discriminators' leads, the diversity of the samples and the scores.

        Raises:
            DivergedError: a number is not finite; then nothing is written.
        """
        state = self._state
        if state.record is None:
            return
        record = {**state.record, **leads(state.record)}
        if state.samples:
            record[DIVERSITY] = sample_diversity(state.samples[max(state.samples)], self._conditional)
        self._report.report(state.step, {**record, **state.scores}, state.pace, self.model.batch_size)


class SaveCheckpoints(keras.callbacks.Callback):
    """Writes checkpoints, after the report of their tick, and one when training is asked to stop."""

    def __init__(self, state: PhaseState, checkpoints: Checkpoints, stop: StopRequest) -> None:
        super().__init__()
        self._state = state
        self._checkpoints = checkpoints
        self._stop = stop

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes a checkpoint where one is due."""
        if self._state.checkpoint_is_due or self._stop.signal_number is not None:
            self.save()

    def save(self) -> None:
        """Writes a checkpoint of this step, unless there is one."""
        state = self._state
        if self._checkpoints.steps()[-1:] == [state.step]:
            return
        state.progress |= {'step': state.step, 'reported': state.reported, 'seconds': state.clock.trained_seconds}
        networks = {name: describe_network(network) for name, network in self.model.checkpoint_networks().items()}
        self._checkpoints.save(state.step, self.model.checkpoint_variables(), state.progress, networks)
