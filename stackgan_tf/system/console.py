"""Speaking to the person at the terminal."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

_terminal: TextIO | None = None  # where lines go while what libraries print goes nowhere


def say(text: str) -> None:
    """Prints a line at once; a reader that is gone (as `tee` after Ctrl-C) must not stop what is being done."""
    try:
        print(text, file=_terminal or sys.stdout, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def silence() -> None:
    """From now on nothing is said: another process speaks for this one."""
    global _terminal
    _terminal = open(os.devnull, 'w', encoding='utf-8')  # noqa: SIM115


def shown(name: str | Path) -> str:
    """A file's name on one line of any terminal."""
    return str(name) if str(name).isprintable() else ascii(str(name))


@contextlib.contextmanager
def others_silent() -> Iterator[None]:
    """Keeps what libraries print off the terminal; what `say` says is seen."""
    global _terminal
    before, _terminal = _terminal, _terminal or sys.stdout
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        _terminal = before
