"""The report of a tick: one status line, one line of metrics.jsonl, TensorBoard."""

import json
import re
import resource
import time
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.util.event_pb2 import Event, SessionLog

from stackgan_tf.system.atomic_files import read_back, write_whole
from stackgan_tf.system.console import say
from stackgan_tf.training.divergence import check_record
from stackgan_tf.training.health import DIVERSITY, LEAD, concerns

METRICS = 'metrics.jsonl'


class Clock:
    """Measures the pace of a run, without its first step, which builds the graph."""

    def __init__(self, trained_seconds: float) -> None:
        self._before = trained_seconds
        self._start = time.monotonic()
        self._tick: tuple[float, int] | None = None

    @property
    def trained_seconds(self) -> float:
        """Seconds spent in this phase, earlier processes included."""
        return self._before + time.monotonic() - self._start

    def step_done(self, step: int) -> None:
        """Starts the measurement at the first call; to be called after every step."""
        if self._tick is None:
            self._tick = time.monotonic(), step

    def leave_out(self, seconds: float) -> None:
        """Excludes time that was not spent on steps."""
        if self._tick is not None:
            self._tick = self._tick[0] + seconds, self._tick[1]

    def steps_per_second(self, step: int) -> float:
        """The pace since the last call."""
        assert self._tick is not None
        now, (then, first) = time.monotonic(), self._tick
        self._tick = now, step
        return (step - first) / (now - then) if step > first else 0.0


def peak_memory() -> int:
    """The most memory used so far, bytes: of the first GPU if there is one, else of this process."""
    if tf.config.list_logical_devices('GPU'):
        return tf.config.experimental.get_memory_info('GPU:0')['peak']
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# Labels on the status line, and the prefixes of their values.
_LABELS = {
    'D': 'discriminator_loss',
    'G': 'generator_loss',
    'color': 'color_loss',
    'KL': 'kl_loss',
    'matching': 'matching_loss',
    'accuracy': 'matching_accuracy',
    'zero-shot': 'zero_shot_accuracy',
    'attributes': 'attribute_loss',
    'classes': 'class_loss',
    'unseen': 'test_',
    'FID': 'fid_',
    'diversity': DIVERSITY,
}


def status_line(phase: str, step: int, steps: int, values: dict[str, float], pace: float) -> str:
    """The status line: step, pace, time left, memory, and the losses of every scale."""
    by_kind = {
        label: '/'.join(f'{value:.2f}' for name, value in values.items() if name.startswith(kind))
        for label, kind in _LABELS.items()
    }
    losses = '  '.join(f'{label} {text}' for label, text in by_kind.items() if text)
    left = f'{duration((steps - step) / pace)} left' if pace else 'measuring'
    return (
        f'{phase} {step}/{steps}  {values["images_per_second"]:.0f} images/s  {left}  '
        f'{peak_memory() / 2**30:.1f} GB  {losses}'
    )


def duration(seconds: float) -> str:
    """A length of time as h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{seconds:02d}'


class TickReport:
    """Reports of one phase. Resuming from step n drops the reports of an earlier process after n."""

    def __init__(self, directory: Path, phase: str, steps: int, start_step: int) -> None:
        self.phase = phase
        self.steps = steps
        self.path = directory / METRICS
        self.writer = tf.summary.create_file_writer(str(directory))
        self._ticks: list[dict[str, Any]] = []
        if self.path.exists():
            with read_back(self.path):
                ticks = [json.loads(line) for line in self.path.read_text(encoding='utf-8').splitlines()]
                self._ticks = [tick for tick in ticks if tick['step'] <= start_step]
        # TensorBoard drops events after this step.
        restart = Event(step=start_step + 1, session_log=SessionLog(status=SessionLog.START))
        tf.raw_ops.ImportEvent(writer=self.writer._resource, event=restart.SerializeToString())

    def report(self, step: int, record: dict[str, float], pace: float, batch_size: int) -> None:
        """Reports one tick.

        Args:
            step: how many steps are done.
            record: means over the tick, see `TrainedModel.take_record`.
            pace: steps per second.
            batch_size: images of a step.

        Raises:
            DivergedError: something is not finite; then nothing is written.
        """
        values: dict[str, Any] = {'images_per_second': pace * batch_size, **record}
        line = status_line(self.phase, step, self.steps, values, pace)
        self._ticks.append({'step': step, **values})
        worries = concerns(self._ticks)
        say('  '.join([line, *(f'! {worry}' for worry in worries)]))
        check_record(step, record)
        lines = [json.dumps(tick) for tick in self._ticks]
        write_whole(self.path, '\n'.join([*lines, '']).encode())
        with self.writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(tag(name), value)
            if worries:
                tf.summary.text('health/concerns', ', '.join(worries))
            self.writer.flush()


_SIZED = re.compile(r'(.+?)_(\d+)(_\d+)?')
# Prefixes of values, and their group and name in TensorBoard.
_GROUPS = {
    'generator_loss': 'adversarial/generator',
    'discriminator_loss': 'adversarial/discriminator',
    'confidence_': 'confidence/',
    'kl_loss': 'conditioning/kl',
    'color_loss': 'color/loss',
    'matching_loss': 'text and image/loss',
    'attribute_loss': 'attributes/loss',
    'images_per_second': 'throughput/images per second',
    LEAD: 'health/discriminator lead',
    DIVERSITY: 'health/diversity of samples',
}


def tag(name: str) -> str:
    """The tag of a value in TensorBoard: `generator_loss_64` is `adversarial/generator 64 px`; scores are one group.

    Where several discriminators have one size, the number follows: `generator_loss_64_1` is
    `adversarial/generator 64 px 1`.
    """
    sized = _SIZED.fullmatch(name)
    kind, size, number = sized.groups('') if sized else (name, '', '')
    unit = f' {size} px{number.replace("_", " ")}' if size else ''
    for prefix, title in _GROUPS.items():
        if kind.startswith(prefix):
            return f'{title}{kind.removeprefix(prefix)}{unit}'
    return f'scores/{name}'
