"""Checkpoints: everything that a phase needs to go on exactly, whole or not there."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from stackgan_tf.files import write_json
from stackgan_tf.user_error import UserError

KEEP = 2
_VARIABLES = 'variables'
_PROGRESS = 'progress.json'
_BEST = 'best.json'


class Checkpoints:
    """The checkpoints of one phase: folders `step_NNNNNN`, the newest two, and the best where one was named.

    A checkpoint is written beside its place and renamed when it is whole, so the newest folder is always good. Older
    ones go only after that.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def steps(self) -> list[int]:
        """The steps of the checkpoints there are, oldest first."""
        return sorted(int(folder.name.removeprefix('step_')) for folder in self.directory.glob('step_*'))

    def path(self, step: int) -> Path:
        """The folder of one step's checkpoint."""
        return self.directory / f'step_{step:06d}'

    def save(self, step: int, pieces: dict[str, list[tf.Variable]], progress: dict[str, Any]) -> None:
        """Writes a checkpoint and removes those that are too old.

        Args:
            step: the number of steps trained.
            pieces: variables by name, see `TrainedModel.pieces`.
            progress: what else there is to know, as JSON.

        Raises:
            UserError: it cannot be written; those before are kept.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        beside = self.directory / f'.writing_{os.getpid()}'
        try:
            tf.train.Checkpoint(**pieces).write(str(beside / _VARIABLES))
            write_json(beside / _PROGRESS, progress)
            _flush(beside)
            beside.rename(self.path(step))
        except (OSError, tf.errors.OpError) as error:
            reason = getattr(error, 'strerror', None) or getattr(error, 'message', None) or str(error)
            kept = f'the last good one, of step {self.steps()[-1]}, is kept' if self.steps() else 'there is none yet'
            raise UserError(
                f'cannot write the checkpoint of step {step} in {self.directory} ({reason.splitlines()[0]}); {kept}: '
                'free some space and run the same command again'
            ) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        best = self.best()
        for old in self.steps()[:-KEEP]:
            if best is None or old != best['step']:
                shutil.rmtree(self.path(old))

    def keep_best(self, step: int, score: str, value: float) -> None:
        """Names a checkpoint the best, by a score's value; it is kept until another is."""
        write_json(self.directory / _BEST, {'step': step, 'score': score, 'value': value})

    def best(self) -> dict[str, Any] | None:
        """`step`, `score` and `value` of the best checkpoint; None if none was named, or it is gone."""
        path = self.directory / _BEST
        if not path.is_file():
            return None
        best = json.loads(path.read_text(encoding='utf-8'))
        return best if best['step'] in self.steps() else None

    def find(self, which: str) -> int:
        """The step of the checkpoint that is meant by `newest`, `best`, or its number.

        Raises:
            UserError: there is none.
        """
        if not self.steps():
            raise UserError(f'{self.directory} holds no checkpoint yet: train first')
        if which == 'newest':
            return self.steps()[-1]
        best = self.best()
        if which == 'best' and best is not None:
            return best['step']
        if which.isdigit() and int(which) in self.steps():
            return int(which)
        there = ', '.join(map(str, self.steps()))
        raise UserError(
            f'{self.directory} has no checkpoint {which!r}: there are newest{", best" * bool(best)}, {there}'
        )

    def restore(self, pieces: dict[str, list[tf.Variable]]) -> dict[str, Any] | None:
        """Restores the newest checkpoint into `pieces` and gives its progress; none if there is no checkpoint."""
        for leftover in self.directory.glob('.writing_*'):
            shutil.rmtree(leftover, ignore_errors=True)
        if not self.steps():
            return None
        with _of_this_model(self._newest()):
            tf.train.Checkpoint(**pieces).read(str(self._newest() / _VARIABLES)).assert_consumed()
        return self.progress()

    def progress(self, which: str = 'newest') -> dict[str, Any]:
        """What a checkpoint says besides variables; see `find`.

        Raises:
            UserError: there is no checkpoint yet.
        """
        return json.loads((self.path(self.find(which)) / _PROGRESS).read_text(encoding='utf-8'))

    def _newest(self) -> Path:
        return self.path(self.find('newest'))

    def shapes(self, piece: str) -> list[tuple[int, ...]]:
        """The shapes of one of the pieces in the newest checkpoint; none if it has no such piece.

        Raises:
            UserError: there is no checkpoint yet.
        """
        shapes = tf.train.load_checkpoint(str(self._newest() / _VARIABLES)).get_variable_to_shape_map()
        names = [f'{piece}/{number}/.ATTRIBUTES/VARIABLE_VALUE' for number in range(len(shapes))]
        return [tuple(shapes[name]) for name in names if name in shapes]

    def restore_some(self, pieces: dict[str, list[tf.Variable]], which: str = 'newest') -> None:
        """Restores some of the pieces of a checkpoint; see `find`.

        Raises:
            UserError: there is no checkpoint yet.
        """
        folder = self.path(self.find(which))
        with _of_this_model(folder):
            status = tf.train.Checkpoint(**pieces).read(str(folder / _VARIABLES))
            status.assert_existing_objects_matched().expect_partial()


@contextlib.contextmanager
def _of_this_model(folder: Path) -> Iterator[None]:
    """Says so if a checkpoint that is read inside has other variables than the model, or of other shapes."""
    try:
        yield
    except (AssertionError, ValueError) as error:
        raise UserError(f'{folder} is a checkpoint of another model than its recipe describes') from error


def _flush(folder: Path) -> None:
    """Brings a folder's files to the disk before it gets its name."""
    for file in (*folder.iterdir(), folder):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
