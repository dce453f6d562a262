"""Files and folders that are either whole or not there: written beside their place, then renamed."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stackgan_tf.system.errors import UserError

_BESIDE = re.compile(r'\..+\.\d+')  # `.NAME.PID`


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that a reader, a crash or a full disk never sees half of it; makes its folder.

    Raises:
        OSError: and then the old file, if there was one, is as before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        with beside.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def read_back(path: Path) -> Iterator[None]:
    """For reading one of our own files, which may since have been edited or damaged.

    Raises:
        UserError: the file, or what it holds, is not what was written.
    """
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f'{path} cannot be read any more: restore it, or move it away') from error


def remove_leftovers(folder: Path) -> None:
    """Removes what writers that were killed left beside their files, in a folder where nobody else writes."""
    for file in folder.rglob('.*'):
        if _BESIDE.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON, whole."""
    write_whole(path, (json.dumps(value, indent=2) + '\n').encode())


@contextlib.contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` for what is to become it; it goes afterwards.

    So do the folders above `target`, if they were made for it and it did not come about.
    """
    made = [folder for folder in target.parents if not folder.exists()]
    scratch = target.with_name(f'.{target.name}.{os.getpid()}')
    try:
        scratch.mkdir(parents=True)
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):  # something is in it
                folder.rmdir()


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """An empty folder that becomes `target` when the work inside is done; if that fails, nothing is left."""
    with scratch_folder(target) as scratch:
        yield scratch
        scratch.rename(target)
