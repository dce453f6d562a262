"""Advisory locks on files, also on file systems and operating systems that have none."""

import errno
import os
from pathlib import Path
from typing import IO

from stackgan_tf.system.console import say

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_HELD = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)

_without_locks: set[Path] = set()  # folders that were reported


def open_lock(path: Path, or_read: bool = False) -> IO[str]:
    """Opens a lock file, which is created if it is missing; its content stays.

    Args:
        path: of the file.
        or_read: whether to open a file that cannot be written for reading, which is enough for a shared lock.

    Raises:
        OSError: it cannot be opened, or is a link.
    """
    no_links = getattr(os, 'O_NOFOLLOW', 0)

    def create(name: str, _: int) -> int:
        return os.open(name, os.O_RDWR | os.O_CREAT | no_links, 0o666)

    try:
        return open(path, 'r+', encoding='utf-8', opener=create)
    except OSError as error:
        if not or_read or error.errno not in _READ_ONLY or not path.is_file():
            raise
        return open(path, encoding='utf-8', opener=lambda name, _: os.open(name, os.O_RDONLY | no_links))


def take_lock(file: IO[str], shared: bool = False, wait: bool = False) -> bool | None:
    """Locks an open file until it is closed.

    Args:
        file: see `open_lock`.
        shared: whether other processes may hold it, shared too.
        wait: whether to wait for it.

    Returns:
        Whether it was taken; False: another process holds it; None: the file system has no locks, which is reported
        once for each folder.
    """
    reason = 'this system has none'
    if fcntl is not None:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
            return True
        except OSError as error:
            if error.errno in _HELD:
                return False
            reason = error.strerror or str(error)
    folder = Path(file.name).parent
    if folder not in _without_locks:
        _without_locks.add(folder)
        say(f'Files in {folder} cannot be locked ({reason}): let no other process use it at the same time')
    return None
