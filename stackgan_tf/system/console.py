"""Output to the terminal."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_terminal: TextIO | None = None  # the target of `say` while the output of libraries is discarded


def say(text: str) -> None:
    """Prints a line and flushes it; a closed pipe (as of `tee` after Ctrl-C) does not stop the program."""
    try:
        print(escaped(text), file=_terminal or sys.stdout, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
