"""The folder where what takes long to make is kept: which entry is in use, who is making one, and room for it."""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

_LOCK, _MAKING = '.lock', '.making'


class NoRoomError(UserError):
    """What is to be kept is larger than the cache may be, or than the disk."""


def cache_folder(kind: str) -> Path:
    """Where entries of a kind are kept: below `STACKGAN_TF_CACHE`, or `stackgan_tf` in the user's cache folder."""
    own = os.environ.get('STACKGAN_TF_CACHE')
    base = Path(own).expanduser() if own else Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser()
    return base / kind if own else base / 'stackgan_tf' / kind


class CacheEntry:
    """A folder of the cache, which no other process removes as long as this object lives.

    Args:
        kind: a folder of the cache; entries of a kind share its room.
        title: for people; what is no letter, digit or point in it becomes an underscore.
        key: names the content.

    Attributes:
        path: of the folder, which exists.
    """

    def __init__(self, kind: str, title: str, key: str) -> None:
        self.path = cache_folder(kind) / f'{re.sub(r"[^A-Za-z0-9.]", "_", title)[:100]}-{key}'
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # another process removed it just now
                self._lock = (self.path / _LOCK).open('w')
                fcntl.flock(self._lock, fcntl.LOCK_SH)
                os.utime(self.path)  # used now: others are removed first
                if os.path.samestat(os.fstat(self._lock.fileno()), (self.path / _LOCK).stat()):
                    return

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Lets one process at a time make the content."""
        with (self.path / _MAKING).open('w') as lock:
            if not _try_lock(lock):
                say(f'Waiting for another process that makes {self.path} ...')
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make_room(self, expected: int, limit: int) -> int:
        """Removes entries that no process uses, the longest unused first, until `expected` bytes fit into this one.

        Returns:
            How many bytes this entry may take, so that all together keep within `limit`.

        Raises:
            NoRoomError: they will not fit; and then nothing was removed for the sake of the limit.
        """
        if expected > limit:
            raise NoRoomError(f'the cache may take {gigabytes(limit)}')
        others = {entry: size_of(entry) for entry in _by_last_use(self.path.parent) if entry != self.path}
        still_needed = expected - size_of(self.path)
        for entry in list(others):
            too_much = sum(others.values()) + expected > limit or shutil.disk_usage(self.path).free < still_needed
            if too_much and _remove(entry):
                del others[entry]
        free = shutil.disk_usage(self.path).free
        if free < still_needed:
            raise NoRoomError(f'the disk has {gigabytes(free)} free')
        return limit - sum(others.values())


def size_of(entry: Path) -> int:
    """The bytes that an entry takes, as far as they can be counted while another process may be writing."""
    total = 0
    with contextlib.suppress(OSError):
        for file in entry.iterdir():
            with contextlib.suppress(OSError):
                total += file.stat().st_size
    return total


def gigabytes(count: int) -> str:
    """A number of bytes for people."""
    return f'{count / 1e9:.1f} GB'


def _by_last_use(folder: Path) -> list[Path]:
    """The entries of the cache, the longest unused first."""
    entries = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if (path / _LOCK).is_file():
                entries.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(entries)]


def _remove(entry: Path) -> bool:
    """Removes an entry, unless a process uses it."""
    try:
        with (entry / _LOCK).open('r') as lock:
            if not _try_lock(lock):
                return False
            # Out of the way first, so that a process that wants it makes a new one.
            doomed = entry.with_name(f'.{entry.name}.{os.getpid()}')
            entry.rename(doomed)
        shutil.rmtree(doomed)
    except OSError:
        return False
    return True


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
