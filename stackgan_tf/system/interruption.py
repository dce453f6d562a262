"""Ctrl-C and SIGTERM ask a run to stop after the step at work; a second Ctrl-C stops at once."""

import contextlib
import os
import signal
from types import FrameType


class InterruptedRunError(Exception):
    """The run was asked to stop and has written its checkpoint.

    Attributes:
        status: the exit status that tells the shell which signal it was: 130 or 143.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.status = 128 + signal_number


class StopRequest:
    """While used as a context, turns the first SIGINT or SIGTERM into a request that `signal_number` shows."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def __enter__(self) -> 'StopRequest':
        self._previous = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _ask(self, number: int, _: FrameType | None) -> None:
        self.signal_number = number
        self._restore()
        # Not print: it may have been interrupted itself, and its reader may be gone.
        with contextlib.suppress(OSError):
            os.write(2, b'\nStopping after this step; a checkpoint is written first ...\n')

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
