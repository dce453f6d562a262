"""Speaking to the person at the terminal."""

import os
import sys


def say(text: str) -> None:
    """Prints a line at once; a reader that is gone (as `tee` after Ctrl-C) must not stop what is being done."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
