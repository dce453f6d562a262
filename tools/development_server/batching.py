"""Batching of concurrent requests, padded to an allowed size, as in TensorFlow Serving."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

Rows = dict[str, np.ndarray]  # [N, ...] by name
_Task = tuple[Rows, 'Future[Rows]']


class TooLargeError(Exception):
    """A request has more rows than the largest batch."""


class BatchQueue:
    """The queue of one signature, with its own thread.

    Args:
        run: computes a batch.
        largest: the number of rows of a full batch.
        seconds: the time that the first request of a batch waits for others.
        allowed: the sizes to which batches are padded, rising, the last is `largest`; empty: no padding.
    """

    def __init__(self, run: Callable[[Rows], Rows], largest: int, seconds: float, allowed: Sequence[int] = ()) -> None:
        self._run = run
        self._largest = largest
        self._seconds = seconds
        self._allowed = allowed
        self._waiting: queue.Queue[_Task] = queue.Queue()
        threading.Thread(target=self._work, daemon=True).start()

    def __call__(self, request: Rows) -> Rows:
        """Waits for the batch of a request; returns the outputs of the request.

        Raises:
            TooLargeError: the request is larger than a batch.
        """
        if _count(request) > self._largest:
            raise TooLargeError(
                f'a request of {_count(request)} rows is larger than the largest batch, {self._largest}'
            )
        future: Future[Rows] = Future()
        self._waiting.put((request, future))
        return future.result()

    def _work(self) -> None:
        pending: list[_Task] = []
        while True:
            batch = pending or [self._waiting.get()]
            pending = self._fill(batch)
            self._process(batch)

    def _fill(self, batch: list[_Task]) -> list[_Task]:
        """Adds requests to a batch until it is full or its time is up; returns the request that did not fit."""
        count = _count(batch[0][0])
        until = time.monotonic() + self._seconds
        while count < self._largest:
            try:
                task = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if count + _count(task[0]) > self._largest:
                return [task]
            batch.append(task)
            count += _count(task[0])
        return []

    def _process(self, batch: list[_Task]) -> None:
        try:
            count = sum(_count(request) for request, _ in batch)
            padding = next((size for size in self._allowed if size >= count), count) - count
            rows = {name: np.concatenate([request[name] for request, _ in batch]) for name in batch[0][0]}
            padded = {name: np.concatenate([each, each[:1].repeat(padding, 0)]) for name, each in rows.items()}
            outputs = self._run(padded)
        except Exception as error:  # all requests of the batch fail together, as in TensorFlow Serving
            for _, future in batch:
                future.set_exception(error)
            return
        first = 0
        for request, future in batch:
            last = first + _count(request)
            future.set_result({name: each[first:last] for name, each in outputs.items()})
            first = last


def _count(rows: Rows) -> int:
    return len(next(iter(rows.values())))
