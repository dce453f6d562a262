"""The run directory: the recipe, the environment, and the lock that keeps other processes out."""

import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import IO

import tensorflow as tf

from stackgan_tf.system import onednn
from stackgan_tf.system.atomic_files import folder_errors, read_back, remove_leftovers, write_json, write_whole
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.locks import open_lock, take_lock

CONFIG = 'config.gin'
# Settings that may change when a run resumes; any other would make it another run.
CHANGEABLE = ('STEPS', 'TICK', 'CHECKPOINT_EVERY')
# Settings that change no number of a run without divergence.
_HARMLESS = (
    *('Recipe.steps_per_execution', 'Recipe.keep_last', 'Recipe.keep_every_hours'),
    *('Recipe.rollbacks', 'Recipe.rollback_rate'),
    'ImageFolder.cache_gigabytes',
)
# Where images are; it may change if they are the same.
_PLACES = ('IMAGE_ROOT', 'ImageFolder.root')


class RunDirectory:
    """A folder that belongs to one recipe.

    Attributes:
        path: of the folder.
        config: the settings of the recipe, one a line.
        moved: whether the recipe names another folder of images than the run began with.

    Raises:
        UserError: the folder is the run of another recipe, or holds other things.
    """

    def __init__(self, path: Path, config: str) -> None:
        self.path = path
        self.config = config
        self.moved = False
        self._lock: IO[str] | None = None
        self._started = False
        with self._errors():
            self._check()

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return folder_errors(self.path, 'name another --workdir')

    def _check(self) -> None:
        saved = self.path / CONFIG
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f'{self.path} is not a folder: name another with --workdir')
        if not saved.exists():
            # A start that failed leaves hidden files: the lock.
            if self.path.is_dir() and any(not file.name.startswith('.') for file in self.path.iterdir()):
                raise UserError(f'{self.path} is not empty and no run of this program: name another with --workdir')
            return
        before, now = _settings(saved.read_text(encoding='utf-8')), _settings(self.config)
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        # Without the scope, as in unseen/ImageFolder.root.
        plain = {name: name.rpartition('/')[2] for name in changed}
        self.moved = any(name in _PLACES for name in plain.values())
        refused = [name for name in changed if plain[name] not in CHANGEABLE + _HARMLESS + _PLACES]
        # Macros first: people set those.
        refused.sort(key=lambda name: not name.isupper())
        if refused:
            name = refused[0]
            more = f' and {len(refused) - 1} more' if len(refused) > 1 else ''
            raise UserError(
                f'{self.path} is a run with {name} = {before.get(name, "unset")}, now it is '
                f'{now.get(name, "unset")}{more}: only {", ".join(CHANGEABLE)} may change; name another --workdir'
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out: at once if the folder exists, else from `open` on.

        Raises:
            UserError: another process is training here.
        """
        try:
            with self._errors():
                if self.path.exists():
                    self._take_lock()
                    remove_leftovers(self.path)
            yield
        finally:
            if self._lock is not None:
                self._lock.close()
            self._lock, self._started = None, False

    def open(self) -> None:
        """Makes the folder and records this start; to be called within `alone`. Later calls do nothing.

        Raises:
            UserError: another process is training here.
        """
        if self._started:
            return
        with self._errors():
            self._open()
        self._started = True

    def _open(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            self._take_lock()
        write_whole(self.path / CONFIG, self.config.encode())
        starts = self.path / 'environment.json'
        with read_back(starts):
            earlier = [*json.loads(starts.read_text(encoding='utf-8'))['starts']] if starts.exists() else []
            before = earlier[0].get(onednn.KEY) if earlier else None
            before = None if before is None else int(before)
        now = environment()
        if before is not None and before != now[onednn.KEY]:
            say(
                f'This run began with {onednn.VARIABLE}={before:d}, now it is {now[onednn.KEY]:d}: the last digits '
                'of its numbers will differ from those of an uninterrupted run'
            )
        write_json(starts, {'starts': [*earlier, now]})

    def _take_lock(self) -> None:
        lock = open_lock(self.path / '.lock')
        if take_lock(lock) is False:
            with lock:
                holder = lock.read()
            raise UserError(
                f'another process ({holder}) is training in {self.path}: wait for it, or name another --workdir'
            )
        lock.truncate(0)
        lock.write(f'pid {os.getpid()} on {socket.gethostname()}')
        lock.flush()
        self._lock = lock


def _settings(config: str) -> dict[str, str]:
    """The bindings of a configuration written by `Recipe.config`, one a line."""
    partitions = (line.partition(' = ') for line in config.splitlines())
    return {name: value for name, _, value in partitions}


def environment() -> dict[str, object]:
    """Versions, devices, command and git revision of this process."""
    packages = ('stackgan-tf', 'tensorflow', 'keras', 'numpy', 'tensorflow-datasets', 'gin-config', 'pillow')
    return {
        'time': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
        'command': sys.argv,
        'git_revision': _git_revision(),
        'python': platform.python_version(),
        'platform': platform.platform(),
        'cpu_cores': os.cpu_count(),
        'threads_per_operation': tf.config.threading.get_intra_op_parallelism_threads(),
        onednn.KEY: onednn.onednn_is_on(),
        'devices': [device.name for device in tf.config.list_logical_devices()],
        'versions': {name: _version(name) for name in packages},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    """The revision of the source tree that is running; none for an installed package."""
    tree = Path(__file__).parents[2]
    if not (tree / '.git').exists():
        return None
    command = ['git', '-C', str(tree), 'describe', '--always', '--dirty', '--abbrev=40']
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
