"""Checkpoints: everything that a phase needs to resume exactly, written whole or not at all."""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from stackgan_tf.system.atomic_files import scratch_name, whole_folder, write_json, write_whole
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.whole_numbers import whole_number

_VARIABLES = 'variables'
_INDEX = f'{_VARIABLES}.index'
_PROGRESS = 'progress.json'
_NETWORKS = 'networks.json'
_SUMS = 'SHA256SUMS'
_KEY = '{name}/{number}/.ATTRIBUTES/VARIABLE_VALUE'
_STEP_PREFIX = 'step_'
_DAMAGED = f'damaged_{_STEP_PREFIX}'


class Checkpoints:
    """The checkpoints of one phase: folders `step_NNNNNN`.

    A checkpoint is written under a temporary name, read back, and renamed when it is whole. `SHA256SUMS` holds the
    checksums of its files: a checkpoint that differs is damaged, and never used. Older ones are removed only after a
    new one has its name.

    Args:
        directory: of them.
        keep_last: number of the newest that are kept.
        keep_every_hours: if not 0, the first after each such period of training is kept too. So is the best one: `best`
            in the saved progress, a dict of `step`, `score` and `value`.
    """

    def __init__(self, directory: Path, keep_last: int = 2, keep_every_hours: float = 0.0) -> None:
        self.directory = directory
        self.keep_last = keep_last
        self.keep_every_hours = keep_every_hours
        self._known: dict[int, str | None] = {}  # the damage of those that were checked

    def steps(self) -> list[int]:
        """The steps of the checkpoints there are, oldest first."""
        return self._numbers(_STEP_PREFIX)

    def _numbers(self, prefix: str) -> list[int]:
        """The numbers of the folders whose names are a prefix and a number, in their order."""
        names = [folder.name for folder in self.directory.iterdir()] if self.directory.is_dir() else []
        found = [whole_number(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
        return sorted(number for number in found if number is not None)

    def path(self, step: int) -> Path:
        """The folder of one step's checkpoint."""
        return self.directory / f'{_STEP_PREFIX}{step:06d}'

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
            checkpoint_variables: by name, see `TrainedModel.checkpoint_variables`.
            progress: everything else, as JSON.
            networks: the class and configuration of networks, by the name of their variables, as JSON.

        Raises:
            UserError: it cannot be written; earlier ones are kept.
        """
        try:
            with whole_folder(self.path(step)) as writing:
                tf.train.Checkpoint(**checkpoint_variables).write(str(writing / _VARIABLES))
                write_json(writing / _PROGRESS, progress)
                write_json(writing / _NETWORKS, dict(networks or {}))
                _read_back(writing)
                sums = [f'{_sha256(file)}  {file.name}\n' for file in sorted(writing.iterdir())]
                write_whole(writing / _SUMS, ''.join(sums).encode())
                _flush(*writing.iterdir(), writing)
            _flush(self.directory)
        except (OSError, tf.errors.OpError) as error:
            reason = getattr(error, 'strerror', None) or getattr(error, 'message', None) or str(error)
            kept = f'the last good one, of step {self.steps()[-1]}, is kept' if self.steps() else 'there is none yet'
            raise UserError(
                f'cannot write the checkpoint of step {step} in {self.directory} ({reason.splitlines()[0]}); {kept}: '
                'make room there and run the same command again'
            ) from error
        self._known[step] = None
        for old in set(self.steps()) - self._kept(progress.get('best')):
            # Renamed first: a half-removed one would count as damaged.
            doomed = scratch_name(self.path(old))
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
        """The damage of a checkpoint, in words; None if it is as it was written."""
        if step not in self._known:
            self._known[step] = _damage(self.path(step))
        return self._known[step]

    def newest(self) -> int | None:
        """The step of the newest checkpoint that is not damaged; reports the damaged ones after it."""
        for step in reversed(self.steps()):
            new = step not in self._known
            damage = self.damage(step)
            if damage is None:
                return step
            if new:
                say(f'{self.path(step)} is damaged ({damage}): resuming from the one before it')
        return None

    def repair(self) -> None:
        """Renames damaged checkpoints after the newest good one, and removes the leftovers of a killed process.

        Raises:
            UserError: all are damaged; the next start trains from the first step.
        """
        for leftover in self.directory.glob(f'.{_STEP_PREFIX}*'):
            shutil.rmtree(leftover, ignore_errors=True)
        good, damaged = self.newest(), [step for step in self.steps() if self._known.get(step)]
        for step in damaged:
            aside = self._aside(step)
            shutil.rmtree(aside, ignore_errors=True)
            self.path(step).rename(aside)
        if damaged and good is None:
            raise UserError(
                f'{self.directory} has no checkpoint that is whole; they are kept as damaged_*: '
                'put back a copy of one, or run the same command again to train from the first step'
            )

    def _aside(self, step: int) -> Path:
        return self.directory / f'{_DAMAGED}{step:06d}'

    def reached(self) -> int:
        """The largest step that ever had a checkpoint, even if it is damaged now; 0 without one."""
        return max([*self.steps(), *self._numbers(_DAMAGED)], default=0)

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
        step = best['step'] if which == 'best' and best is not None else whole_number(which)
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
        """Restores the newest checkpoint into variables and returns its progress; None without a checkpoint."""
        newest = self.newest()
        if newest is None:
            return None
        with _of_this_model(self.path(newest)):
            tf.train.Checkpoint(**checkpoint_variables).read(str(self.path(newest) / _VARIABLES)).assert_consumed()
        return self._progress_of(newest)

    def progress(self, which: str = 'newest') -> dict[str, Any]:
        """The progress that a checkpoint holds; see `find`.

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

    def shapes(self, name: str) -> list[tuple[int, ...]]:
        """The shapes of the variables of one name in the newest checkpoint; empty without them.

        Raises:
            UserError: there is no checkpoint yet.
        """
        shapes = tf.train.load_checkpoint(str(self.path(self.find('newest')) / _VARIABLES)).get_variable_to_shape_map()
        keys = [_KEY.format(name=name, number=number) for number in range(len(shapes))]
        return [tuple(shapes[key]) for key in keys if key in shapes]

    def restore_networks(self, checkpoint_variables: dict[str, list[tf.Variable]], which: str = 'newest') -> None:
        """Restores some of the variables of a checkpoint; see `find`.

        Raises:
            UserError: there is no checkpoint yet.
        """
        folder = self.path(self.find(which))
        with _of_this_model(folder):
            status = tf.train.Checkpoint(**checkpoint_variables).read(str(folder / _VARIABLES))
            status.assert_existing_objects_matched().expect_partial()


@contextlib.contextmanager
def _of_this_model(folder: Path) -> Iterator[None]:
    """Raises `UserError` if a checkpoint that is read inside has other variables than the model, or other shapes."""
    try:
        yield
    except (AssertionError, ValueError) as error:
        raise UserError(f'{folder} is a checkpoint of another model than its recipe describes') from error


def _damage(folder: Path) -> str | None:
    try:
        lines = (folder / _SUMS).read_text(encoding='utf-8').splitlines()
        sums = {name: digest for digest, _, name in (line.partition('  ') for line in lines)}
        # The index too, which makes an empty list of checksums fail.
        for name in (*sums, _INDEX):
            if sums.get(name) != _sha256(folder / name):
                return f'{name} is not what was written'
    except (OSError, ValueError) as error:
        return f'{Path(error.filename).name}: {error.strerror}' if isinstance(error, OSError) else f'{_SUMS}: {error}'
    return None


def _read_back(folder: Path) -> None:
    """Reads all variables, each of which TensorFlow wrote with a checksum of its value in memory."""
    reader = tf.train.load_checkpoint(str(folder / _VARIABLES))
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


def _sha256(file: Path) -> str:
    with file.open('rb') as opened:
        return hashlib.file_digest(opened, 'sha256').hexdigest()


def _flush(*paths: Path) -> None:
    """Flushes files, and the names in folders, to the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
