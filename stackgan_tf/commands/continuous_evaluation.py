"""Continuous evaluation: measures the checkpoints of a run as they appear, in a process of its own."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from stackgan_tf.commands.evaluators import Evaluator
from stackgan_tf.evaluation.evaluate_model import Measurement, Reference
from stackgan_tf.evaluation.report import report
from stackgan_tf.loading import load
from stackgan_tf.recipe.recipe import read_run
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.atomic_files import read_back, write_whole
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

REPORTS = 'evaluation.jsonl'
_PAUSE = 20.0  # seconds between two looks at the checkpoints


def evaluate_continuously(
    directory: Path, evaluator: Evaluator, settings: Mapping[str, Any], pause: float = _PAUSE
) -> None:
    """Measures every checkpoint of a run's last phase, present and future, until the phase has all its steps.

    Reports go to `evaluation.jsonl` in the folder of the phase, one per line, and scores to TensorBoard. Checkpoints
    that were measured before with the same settings are skipped.

    Args:
        directory: the run.
        evaluator: measures the checkpoints.
        settings: the entries of a report other than scores.
        pause: seconds between two looks at the checkpoints.

    Raises:
        UserError: the directory is not a run, or cannot be measured.
    """
    phase = read_run(directory).run.phases[-1]
    folder = directory / phase.name
    checkpoints = Checkpoints(folder / 'checkpoints')
    reports = _Reports(folder, settings)
    reference: Reference | None = None
    while True:
        waiting = [step for step in checkpoints.steps() if step not in reports.steps]
        for step in waiting:
            try:
                generator = load(directory, str(step))
            except (UserError, OSError, tf.errors.OpError):
                if step in checkpoints.steps():
                    raise
                continue  # training has removed it meanwhile
            reference = reference or evaluator.reference(generator.sizes[-1])
            reports.add(step, evaluator.measure(generator, reference))
        if not waiting:
            if max(checkpoints.steps(), default=0) >= phase.steps:
                say(f'{phase.name} has all its steps: {len(reports.steps)} checkpoint(s) are in {reports.path}')
                return
            time.sleep(pause)


class _Reports:
    """The reports on a phase's checkpoints.

    Attributes:
        path: the file, one report per line.
        steps: the steps that were measured with these settings.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path = folder / REPORTS
        self._settings = settings
        self._lines = self.path.read_text(encoding='utf-8').splitlines() if self.path.exists() else []
        with read_back(self.path):
            earlier = [json.loads(line) for line in self._lines]
            self.steps = {line['step'] for line in earlier if line['settings'] == settings['settings']}
        self._writer = tf.summary.create_file_writer(str(folder / 'evaluation'))

    def add(self, step: int, measurement: Measurement) -> None:
        """Writes a measurement and prints its main scores."""
        self.steps.add(step)
        self._lines.append(json.dumps({'step': step, **report(measurement, self._settings)}))
        write_whole(self.path, '\n'.join([*self._lines, '']).encode())
        with self._writer.as_default(step):
            for name, score in measurement.scores.items():
                tf.summary.scalar(name, score.value)
            self._writer.flush()
        main = ('fid', 'kid', 'inception_score', 'caption_consistency', 'r_precision')
        values = [f'{name} {measurement.scores[name].value:.4f}' for name in main if name in measurement.scores]
        say(f'step {step}: {"  ".join(values)}')
