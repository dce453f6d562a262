"""Ctrl-C and SIGTERM stop a run after the current step; a second Ctrl-C stops at once."""

import contextlib
import os
import signal
from types import FrameType


class InterruptedRunError(Exception):
    """A run has stopped on a signal, after it wrote its checkpoint.

    Attributes:
        status: the exit status for the signal: 130 or 143.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.status = 128 + signal_number


class StopRequest:
    """A context that records the first SIGINT or SIGTERM in `signal_number` instead of stopping the process."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def __enter__(self) -> 'StopRequest':
        self._previous = {number: signal.signal(number, self._record) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _record(self, number: int, _: FrameType | None) -> None:
        self.signal_number = number
        self._restore()
        # Not print: the signal may have interrupted a print, and the pipe may be closed.
        with contextlib.suppress(OSError):
            os.write(2, b'\nStopping after this step; a checkpoint is written first ...\n')

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
