"""Atomic files and folders: written under a temporary name in the same folder, then renamed."""

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from stackgan_tf.system.errors import UserError

_SCRATCH = re.compile(r'\..+\.[0-9a-f]{16}')


def scratch_name(target: Path) -> Path:
    """A hidden name next to `target` that no other process uses, whichever host or container it runs in.

    `tempfile` would make files and folders that only this user can read, also after they are renamed.
    """
    return target.with_name(f'.{target.name}.{secrets.token_hex(8)}')


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that becomes `path` when the block ends; if the block raises, `path` is unchanged.

    Raises:
        OSError: the file cannot be written.
    """
    scratch = scratch_name(path)
    file = scratch.open('xb')  # exclusive: it follows no link, and opens no file of another process
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def folder_errors(folder: Path, advice: str) -> Iterator[None]:
    """A context for work in a folder that may be missing, read-only or full.

    Args:
        folder: errors of files elsewhere are not touched.
        advice: what the user can do.

    Raises:
        UserError: the system refuses something in the folder.
    """
    try:
        yield
    except OSError as error:
        place = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else folder
        if not (place.is_relative_to(folder) or folder.is_relative_to(place)):
            raise
        raise UserError(f'{folder} cannot be used ({error.strerror or error}): {advice}') from error


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file atomically, so that no reader, crash or full disk leaves half of it; creates its folder.

    Raises:
        OSError: the file cannot be written; an existing file is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def read_back(path: Path) -> Iterator[None]:
    """A context for reading a file of this package, which may have been edited or damaged.

    Raises:
        UserError: the file cannot be read, or its content is not valid.
    """
    try:
        yield
    except UserError:
        raise
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f'{path} cannot be read any more: restore it, or move it away') from error


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files of killed writers, in a folder where no other process writes."""
    for file in folder.rglob('.*'):
        if _SCRATCH.fullmatch(file.name) and file.is_file():
            file.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON, atomically."""
    write_whole(path, (json.dumps(value, indent=2) + '\n').encode())


@contextlib.contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """An empty temporary folder with the same parent as `target`; it is removed afterwards.

    The folders above `target` are removed too if they were created for it and are empty.
    """
    created = [folder for folder in target.parents if not folder.exists()]
    scratch = scratch_name(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch.mkdir()  # outside of the next block, which would remove the folder of another process
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    finally:
        for folder in created:
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()


def check_writable(path: Path) -> None:
    """Checks that a file can be written, before the long computation of its content.

    Raises:
        UserError: it is a folder, or nothing can be written next to it.
    """
    if path.is_dir():
        raise UserError(f'{path} is a folder: name a file')
    try:
        with scratch_folder(path):
            pass
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror}): name another file') from error


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """An empty folder that is renamed to `target` when the block ends; if the block raises, nothing is left."""
    with scratch_folder(target) as scratch:
        yield scratch
        scratch.rename(target)
