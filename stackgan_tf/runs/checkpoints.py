"""Checkpoints: everything that a phase needs to go on exactly, whole or not there."""

import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from stackgan_tf.system.atomic_files import write_json, write_whole
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

_VARIABLES = 'variables'
_INDEX = f'{_VARIABLES}.index'
_PROGRESS = 'progress.json'
_NETWORKS = 'networks.json'
_SUMS = 'SHA256SUMS'
_KEY = '{name}/{number}/.ATTRIBUTES/VARIABLE_VALUE'
_STEP = re.compile(r'step_(\d+)')


class Checkpoints:
    """The checkpoints of one phase: folders `step_NNNNNN`.

    A checkpoint is written beside its place, read back, and renamed when it is whole. `SHA256SUMS` in it says what its
    files are: one that is not like that is damaged, and never used. Older ones go only after a new one has its name.

    Args:
        directory: of them.
        keep_last: so many of the newest stay,
        keep_every_hours: and the first after every so many hours of training, unless it is 0. The best one stays too:
            `best` in the progress that is saved, a dict of `step`, `score` and `value`.
    """

    def __init__(self, directory: Path, keep_last: int = 2, keep_every_hours: float = 0.0) -> None:
        self.directory = directory
        self.keep_last = keep_last
        self.keep_every_hours = keep_every_hours
        self._known: dict[int, str | None] = {}  # what is damaged in those that were looked at

    def steps(self) -> list[int]:
        """The steps of the checkpoints there are, oldest first."""
        if not self.directory.is_dir():
            return []
        found = [_STEP.fullmatch(folder.name) for folder in self.directory.iterdir()]
        return sorted(int(match[1]) for match in found if match)

    def path(self, step: int) -> Path:
        """The folder of one step's checkpoint."""
        return self.directory / f'step_{step:06d}'

    def save(
        self,
        step: int,
        checkpoint_variables: dict[str, list[tf.Variable]],
        progress: dict[str, Any],
        networks: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes a checkpoint and removes those that are too old.

        Args:
            step: the number of steps trained.
            checkpoint_variables: by name, see `TrainedModel.pieces`.
            progress: what else there is to know, as JSON.
            networks: the class and configuration of networks, by the name of their variables, as JSON.

        Raises:
            UserError: it cannot be written; those before are kept.
        """
        beside = self.directory / f'.writing_{os.getpid()}'
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            tf.train.Checkpoint(**checkpoint_variables).write(str(beside / _VARIABLES))
            write_json(beside / _PROGRESS, progress)
            write_json(beside / _NETWORKS, dict(networks or {}))
            _read_back(beside)
            sums = [f'{_sha256(file)}  {file.name}\n' for file in sorted(beside.iterdir())]
            write_whole(beside / _SUMS, ''.join(sums).encode())
            _flush(*beside.iterdir(), beside)
            beside.rename(self.path(step))
            _flush(self.directory)
        except (OSError, tf.errors.OpError) as error:
            reason = getattr(error, 'strerror', None) or getattr(error, 'message', None) or str(error)
            kept = f'the last good one, of step {self.steps()[-1]}, is kept' if self.steps() else 'there is none yet'
            raise UserError(
                f'cannot write the checkpoint of step {step} in {self.directory} ({reason.splitlines()[0]}); {kept}: '
                'make room there and run the same command again'
            ) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        self._known[step] = None
        for old in set(self.steps()) - self._kept(progress.get('best')):
            # Out of the way first: half of it would look damaged.
            doomed = self.directory / f'.removing_{old}'
            self.path(old).rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)

    def _kept(self, best: dict[str, Any] | None) -> set[int]:
        steps = self.steps()
        kept = {*steps[-self.keep_last :], *([best['step']] if best else [])}
        if self.keep_every_hours:
            first: dict[int, int] = {}
            for step in steps:
                if self.damage(step) is None:
                    hours = self._progress_of(step)['seconds'] / 3600
                    first.setdefault(int(hours / self.keep_every_hours), step)
            kept |= {step for number, step in first.items() if number}
        return kept

    def best(self) -> dict[str, Any] | None:
        """`step`, `score` and `value` of the best checkpoint; None if none was scored, or it is gone."""
        newest = self.newest()
        best = None if newest is None else self._progress_of(newest).get('best')
        return best if best is not None and best['step'] in self.steps() else None

    def damage(self, step: int) -> str | None:
        """What is wrong with a checkpoint that is there; None if it is what was written."""
        if step not in self._known:
            self._known[step] = _damage(self.path(step))
        return self._known[step]

    def newest(self) -> int | None:
        """The step of the newest checkpoint that is not damaged; says so of those after it."""
        for step in reversed(self.steps()):
            new = step not in self._known
            damage = self.damage(step)
            if damage is None:
                return step
            if new:
                say(f'{self.path(step)} is damaged ({damage}): going back to the one before it')
        return None

    def mend(self) -> None:
        """Sets aside what is damaged after the newest good checkpoint, and removes what a killed process left.

        Raises:
            UserError: all are damaged; the next start begins anew.
        """
        for leftover in (*self.directory.glob('.writing_*'), *self.directory.glob('.removing_*')):
            shutil.rmtree(leftover, ignore_errors=True)
        good, damaged = self.newest(), [step for step in self.steps() if self._known.get(step)]
        for step in damaged:
            aside = self._aside(step)
            shutil.rmtree(aside, ignore_errors=True)
            self.path(step).rename(aside)
        if damaged and good is None:
            raise UserError(
                f'{self.directory} has no checkpoint that is whole; they are kept as damaged_*: '
                'put back a copy of one, or run the same command again to begin anew'
            )

    def _aside(self, step: int) -> Path:
        return self.directory / f'damaged_{self.path(step).name}'

    def reached(self) -> int:
        """The most steps that there ever was a checkpoint of, also if it is damaged now; 0 if there was none."""
        aside = [int(folder.name.rpartition('_')[2]) for folder in self.directory.glob('damaged_step_*')]
        return max([*self.steps(), *aside], default=0)

    def find(self, which: str) -> int:
        """The step of the checkpoint that is meant by `newest`, `best`, or its number.

        Raises:
            UserError: there is none.
        """
        newest = self.newest()
        if newest is None:
            raise UserError(f'{self.directory} holds no checkpoint yet: train first')
        if which == 'newest':
            return newest
        best = self.best()
        step = best['step'] if which == 'best' and best is not None else int(which) if which.isdigit() else None
        if step in self.steps():
            assert step is not None
            if self.damage(step) is None:
                return step
            which = f'{which} that is whole'
        there = ', '.join(str(step) for step in self.steps() if self.damage(step) is None)
        raise UserError(
            f'{self.directory} has no checkpoint {which!r}: there are newest{", best" * bool(best)}, {there}'
        )

    def restore(self, checkpoint_variables: dict[str, list[tf.Variable]]) -> dict[str, Any] | None:
        """Restores the newest checkpoint into `pieces` and gives its progress; none if there is no checkpoint."""
        newest = self.newest()
        if newest is None:
            return None
        with _of_this_model(self.path(newest)):
            tf.train.Checkpoint(**checkpoint_variables).read(str(self.path(newest) / _VARIABLES)).assert_consumed()
        return self._progress_of(newest)

    def progress(self, which: str = 'newest') -> dict[str, Any]:
        """What a checkpoint says besides variables; see `find`.

        Raises:
            UserError: there is no checkpoint yet.
        """
        return self._progress_of(self.find(which))

    def _progress_of(self, step: int) -> dict[str, Any]:
        return json.loads((self.path(step) / _PROGRESS).read_text(encoding='utf-8'))

    def networks(self, which: str = 'newest') -> dict[str, Any]:
        """The descriptions of a checkpoint's networks, by the name of their variables; see `find`.

        Raises:
            UserError: there is no checkpoint yet.
        """
        return json.loads((self.path(self.find(which)) / _NETWORKS).read_text(encoding='utf-8'))

    def values(self, name: str, which: str = 'newest') -> list[np.ndarray]:
        """The values of the variables of one name in a checkpoint, in their order; see `find`.

        Raises:
            UserError: there is no checkpoint yet.
        """
        reader = tf.train.load_checkpoint(str(self.path(self.find(which)) / _VARIABLES))
        known = reader.get_variable_to_shape_map()
        keys = (_KEY.format(name=name, number=number) for number in itertools.count())
        return [reader.get_tensor(key) for key in itertools.takewhile(known.__contains__, keys)]

    def shapes(self, piece: str) -> list[tuple[int, ...]]:
        """The shapes of one of the pieces in the newest checkpoint; none if it has no such piece.

        Raises:
            UserError: there is no checkpoint yet.
        """
        shapes = tf.train.load_checkpoint(str(self.path(self.find('newest')) / _VARIABLES)).get_variable_to_shape_map()
        names = [_KEY.format(name=piece, number=number) for number in range(len(shapes))]
        return [tuple(shapes[name]) for name in names if name in shapes]

    def restore_some(self, checkpoint_variables: dict[str, list[tf.Variable]], which: str = 'newest') -> None:
        """Restores some of the pieces of a checkpoint; see `find`.

        Raises:
            UserError: there is no checkpoint yet.
        """
        folder = self.path(self.find(which))
        with _of_this_model(folder):
            status = tf.train.Checkpoint(**checkpoint_variables).read(str(folder / _VARIABLES))
            status.assert_existing_objects_matched().expect_partial()


@contextlib.contextmanager
def _of_this_model(folder: Path) -> Iterator[None]:
    """Says so if a checkpoint that is read inside has other variables than the model, or of other shapes."""
    try:
        yield
    except (AssertionError, ValueError) as error:
        raise UserError(f'{folder} is a checkpoint of another model than its recipe describes') from error


def _damage(folder: Path) -> str | None:
    try:
        lines = (folder / _SUMS).read_text(encoding='utf-8').splitlines()
        sums = {name: digest for digest, _, name in (line.partition('  ') for line in lines)}
        # The last one, so that none is missing.
        for name in (*sums, _INDEX):
            if sums.get(name) != _sha256(folder / name):
                return f'{name} is not what was written'
    except (OSError, ValueError) as error:
        return f'{Path(error.filename).name}: {error.strerror}' if isinstance(error, OSError) else f'{_SUMS}: {error}'
    return None


def _read_back(folder: Path) -> None:
    """Reads all variables, each of which TensorFlow wrote with a checksum of what was in memory."""
    reader = tf.train.load_checkpoint(str(folder / _VARIABLES))
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


def _sha256(file: Path) -> str:
    with file.open('rb') as opened:
        return hashlib.file_digest(opened, 'sha256').hexdigest()


def _flush(*paths: Path) -> None:
    """Brings files, and the names in folders, to the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
