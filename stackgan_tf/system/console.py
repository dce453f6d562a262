"""Output to the terminal."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_terminal: TextIO | None = None  # the target of `say` while the output of libraries is discarded


def say(text: str) -> None:
    """Prints a line and flushes it; see `output_may_close`."""
    with output_may_close():
        print(escaped(text), file=_terminal or sys.stdout)


@contextlib.contextmanager
def output_may_close() -> Iterator[None]:
    """A context that prints, and flushes what was printed.

    A closed output (as of `tee` after Ctrl-C, or of a terminal that is gone) does not stop the program; what it prints
    from then on is discarded.
    """
    stream = _terminal or sys.stdout
    try:
        try:
            yield
        finally:
            stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise
        with open(os.devnull, 'wb') as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def open_closed_streams() -> None:
    """Connects closed standard streams (`>&-`) to the null device, so that no file gets their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    # Python has no object for a stream that was closed when it started.
    sys.stdout = sys.stdout or open(os.devnull, 'w', encoding='utf-8')  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, 'w', encoding='utf-8')  # noqa: SIM115


def silence() -> None:
    """Discards all further output: another process reports for this one."""
    global _terminal
    _terminal = open(os.devnull, 'w', encoding='utf-8')  # noqa: SIM115


def escaped(text: str) -> str:
    """Text for the terminal with its control characters as escapes, since it may quote files; line breaks stay."""
    return ''.join(
        each if each.isprintable() or each in '\n\t' else each.encode('unicode_escape').decode() for each in text
    )


def printable(name: str | Path) -> str:
    """A name from a file, safe to print: a Python literal if it has line breaks or control characters."""
    return str(name) if str(name).isprintable() else ascii(str(name))


@contextlib.contextmanager
def others_silent() -> Iterator[None]:
    """Discards what libraries print; `say` still prints."""
    global _terminal
    before, _terminal = _terminal, _terminal or sys.stdout
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        _terminal = before
