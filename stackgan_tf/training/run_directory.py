"""The run directory: what was asked for, by what it was made, and that only one process works in it."""

import fcntl
import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import IO

import tensorflow as tf

from stackgan_tf.files import write_json, write_whole
from stackgan_tf.user_error import UserError

CONFIG = 'config.gin'
# What may change when a run goes on; anything else would make it another run.
CHANGEABLE = ('STEPS', 'TICK', 'CHECKPOINT_EVERY')


class RunDirectory:
    """A folder that belongs to one recipe.

    Raises:
        UserError: the folder is the run of another recipe, or holds other things.
    """

    def __init__(self, path: Path, config: str) -> None:
        self.path = path
        self.config = config
        self._check()

    def _check(self) -> None:
        saved = self.path / CONFIG
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f'{self.path} is not a folder: name another with --workdir')
        if not saved.exists():
            # Hidden files are what a start that failed here leaves: the lock.
            if self.path.is_dir() and any(not file.name.startswith('.') for file in self.path.iterdir()):
                raise UserError(f'{self.path} is not empty and no run of this program: name another with --workdir')
            return
        before, now = _settings(saved.read_text(encoding='utf-8')), _settings(self.config)
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        refused = [name for name in changed if name not in CHANGEABLE]
        # Macros first: they are what people set.
        refused.sort(key=lambda name: not name.isupper())
        if refused:
            name = refused[0]
            more = f' and {len(refused) - 1} more' if len(refused) > 1 else ''
            raise UserError(
                f'{self.path} is a run with {name} = {before.get(name, "unset")}, now it is '
                f'{now.get(name, "unset")}{more}: only {", ".join(CHANGEABLE)} may change; name another --workdir'
            )

    def open(self) -> IO[str]:
        """Makes the folder, writes what this start is, and keeps other processes out while the result is open.

        Raises:
            UserError: another process is training here.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = (self.path / '.lock').open('w')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise UserError(
                f'another process is training in {self.path}: wait for it, or name another --workdir'
            ) from error
        write_whole(self.path / CONFIG, self.config.encode())
        starts = self.path / 'environment.json'
        earlier = json.loads(starts.read_text(encoding='utf-8'))['starts'] if starts.exists() else []
        write_json(starts, {'starts': [*earlier, environment()]})
        return lock


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
