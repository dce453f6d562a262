r"""Kills a run repeatedly at random moments, resumes it, and compares its result with that of an uninterrupted run.

python tools/kill_run.py --kills=50 -- python -m stackgan_tf.train --gin_file=gin/quickstart.gin --workdir={}

`{}` stands for the run directory. If a run ends before all kills, another run starts; all runs are compared.
"""

import collections
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

_KILLS = flags.DEFINE_integer('kills', 50, 'Number of kills.', lower_bound=1)
_WRITING = flags.DEFINE_float('writing', 0.3, 'The share of kills while a checkpoint is written.', 0.0, 1.0)
_SPREAD = flags.DEFINE_float(
    'spread', 3.0, 'The latest moment of the other kills, in seconds after the start or a report.', 0.0
)
_SEED = flags.DEFINE_integer('seed', 0, 'The seed of the moments.')
_NAMES = '_CHECKPOINTABLE_OBJECT_GRAPH'  # has names of variables, which Keras numbers within a process
_WITHIN = 0.03  # seconds after the start of a checkpoint's writing


class Killer:
    """Starts a command, kills it, and counts the kills.

    Args:
        command: the command, with `{}` for the run directory.
        log: the file for its output.

    Attributes:
        kills: number of kills.
        counts: number of kills by moment.
    """

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._random = random.Random(_SEED.value)
        self.kills = 0
        self.counts: collections.Counter[str] = collections.Counter()

    def start(self, directory: Path) -> subprocess.Popen[bytes]:
        """Starts a process of the command."""
        filled = [argument.replace('{}', str(directory)) for argument in self._command]
        with self._log.open('wb') as log:
            return subprocess.Popen(filled, stdout=log, stderr=subprocess.STDOUT)

    def finish(self, directory: Path) -> None:
        """Runs the command to its end.

        Raises:
            UserError: the command fails.
        """
        if self.start(directory).wait():
            raise UserError(f'the command failed: {self._log.read_text(errors="replace").strip().splitlines()[-1]}')

    def kill(self, directory: Path) -> bool:
        """Starts the command and kills it at a random moment; returns False if it ends before."""
        moment = self._random.choices(
            ['writing a checkpoint', 'after a report', 'after the start'],
            [_WRITING.value, (1 - _WRITING.value) / 2, (1 - _WRITING.value) / 2],
        )[0]
        wait = self._random.uniform(0, _WITHIN if moment.startswith('writing') else _SPREAD.value)
        reports = _reports(directory)
        reached = {
            'writing a checkpoint': lambda: _half_written(directory),
            'after a report': lambda: _reports(directory) != reports,
            'after the start': lambda: True,
        }[moment]
        process = self.start(directory)
        while process.poll() is None and not reached():
            time.sleep(0.001)
        time.sleep(wait)
        process.kill()
        if process.wait() >= 0:
            self.finish(directory)  # raises an error if the command failed
            return False
        self.kills += 1
        half = ', half of a checkpoint is left' if _half_written(directory) else ''
        self.counts[moment + half] += 1
        newest = max(_checkpoints(directory), key=lambda name: (directory / name).stat().st_mtime, default='none')
        say(f'kill {self.kills}: {moment}{half}; newest checkpoint: {newest}')
        return True


def main(command: list[str]) -> None:
    """Kills runs and compares them."""
    if '{}' not in ' '.join(command):
        raise UserError('write the command after --, with {} for the run directory; --help has an example')
    with tempfile.TemporaryDirectory() as folder:
        killer, whole = Killer(command, Path(folder, 'log')), Path(folder, 'whole')
        killer.finish(whole)
        runs = 0
        while killer.kills < _KILLS.value:
            runs += 1
            killed = Path(folder, f'killed_{runs}')
            while killer.kills < _KILLS.value and killer.kill(killed):
                pass
            killer.finish(killed)
            say(f'run {runs}: the same {same(whole, killed)}')
    counts = '; '.join(f'{count} {moment}' for moment, count in sorted(killer.counts.items()))
    say(f'{killer.kills} kills ({counts}), {runs} run(s): all are identical to the uninterrupted run')


def same(whole: Path, killed: Path) -> str:
    """Checks that two finished runs are bit-identical.

    Returns:
        The number of compared items, for people.

    Raises:
        UserError: an item differs, or exists in one run only.
    """
    import tensorflow as tf

    counts: collections.Counter[str] = collections.Counter()
    if _checkpoints(whole) != _checkpoints(killed):
        raise UserError(f'other checkpoints: {_checkpoints(whole)} and {_checkpoints(killed)}')
    for name in _checkpoints(whole):
        first, second = (tf.train.load_checkpoint(str(run / name / 'variables')) for run in (whole, killed))
        tensors = first.get_variable_to_shape_map()
        if tensors != second.get_variable_to_shape_map():
            raise UserError(f'{name}: other variables')
        for tensor in tensors.keys() - {_NAMES}:
            if np.asarray(first.get_tensor(tensor)).tobytes() != np.asarray(second.get_tensor(tensor)).tobytes():
                raise UserError(f'{name}: {tensor} differs')
        counts['tensors'] += len(tensors)
    for phase in {Path(name).parts[0] for name in _checkpoints(whole)}:
        lines = [_lines(run / phase / 'metrics.jsonl') for run in (whole, killed)]
        if lines[0] != lines[1]:
            raise UserError(f'{phase}: other lines in metrics.jsonl')
        counts['lines of metrics'] += len(lines[0])
        images = [{file.name: file.read_bytes() for file in (run / phase).glob('samples/*')} for run in (whole, killed)]
        if images[0] != images[1]:
            raise UserError(f'{phase}: other samples')
        counts['sample images'] += len(images[0])
    left = [str(file) for file in killed.rglob('.*') if file.name != '.lock']
    if left:
        raise UserError(f'left behind: {", ".join(left)}')
    return ', '.join(f'{count} {what}' for what, count in counts.items())


def _lines(file: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in file.read_text(encoding='utf-8').splitlines()]
    return [{name: value for name, value in line.items() if name != 'images_per_second'} for line in lines]


def _checkpoints(directory: Path) -> list[str]:
    found = directory.glob('*/checkpoints/step_*')
    return sorted(str(folder.relative_to(directory)) for folder in found)


def _half_written(directory: Path) -> bool:
    return any(directory.glob('*/checkpoints/.step_*'))


def _reports(directory: Path) -> list[int]:
    return [file.stat().st_mtime_ns for file in directory.glob('*/metrics.jsonl')]


if __name__ == '__main__':
    run_command(main, words=True)
