"""Entries of the cache: a folder each, with locks for use and creation, within a limit of disk space."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from stackgan_tf.system.atomic_files import folder_errors, remove_leftovers, scratch_name
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.locks import open_lock, take_lock

_LOCK, _MAKING = '.lock', '.making'
_ADVICE = 'set STACKGAN_TF_CACHE to a folder that you can write'


class NoRoomError(UserError):
    """An entry does not fit into the limit of the cache, or on the disk."""


def cache_folder(kind: str) -> Path:
    """The folder of a kind of entries: in `STACKGAN_TF_CACHE`, or in `stackgan_tf` in the user's cache folder.

    Raises:
        UserError: the user has no home folder, as in containers with a user that they do not know.
    """
    own = os.environ.get('STACKGAN_TF_CACHE')
    try:
        base = Path(own or os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser()
    except RuntimeError as error:
        raise UserError(f'there is no home folder for the cache: {_ADVICE}') from error
    return base / kind if own else base / 'stackgan_tf' / kind


class CacheEntry:
    """A folder of the cache, which no other process removes during the lifetime of this object.

    Args:
        kind: a folder of the cache; entries of a kind share a limit.
        title: for people; characters other than letters, digits and points become underscores.
        key: identifies the content.

    Attributes:
        path: the folder, which exists.

    Raises:
        UserError: the folder cannot be used; one that cannot be written can, once its content is complete.
    """

    def __init__(self, kind: str, title: str, key: str) -> None:
        self.path = cache_folder(kind) / f'{re.sub(r"[^A-Za-z0-9.]", "_", title)[:100]}-{key}'
        with folder_errors(self.path, _ADVICE):
            while not self._in_use():
                pass

    def _in_use(self) -> bool:
        """Marks the entry as used; False if another process has just removed it."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = open_lock(self.path / _LOCK, or_read=True)
            take_lock(self._lock, shared=True, wait=True)
            with contextlib.suppress(OSError):  # it cannot be written
                os.utime(self.path)  # the least recently used entries are removed first
            return os.path.samestat(os.fstat(self._lock.fileno()), (self.path / _LOCK).stat())
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Lets one process at a time create the content.

        Raises:
            UserError: the folder cannot be written.
        """
        with folder_errors(self.path, _ADVICE), open_lock(self.path / _MAKING) as lock:
            if take_lock(lock) is False:
                say(f'Waiting for another process that creates {self.path} ...')
                take_lock(lock, wait=True)
            remove_leftovers(self.path)
            yield

    def make_room(self, expected: int, limit: int) -> int:
        """Removes the least recently used entries, unless in use, until `expected` bytes fit into this one.

        Returns:
            The bytes that this entry may take, so that all entries together stay within `limit`.

        Raises:
            NoRoomError: the bytes do not fit; an entry larger than the limit removes nothing.
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
    """The bytes of an entry; approximate while another process writes."""
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
    """The entries of the cache, the least recently used first."""
    entries = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if (path / _LOCK).is_file():
                entries.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(entries)]


def _remove(entry: Path) -> bool:
    """Removes an entry, unless a process uses it."""
    try:
        with open_lock(entry / _LOCK) as lock:  # opened for writing: over NFS, others cannot be locked
            if not take_lock(lock):
                return False
            # Renamed first, so that a process that needs it creates a new one.
            doomed = scratch_name(entry)
            entry.rename(doomed)
        shutil.rmtree(doomed)
    except OSError:
        return False
    return True
