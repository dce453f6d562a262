"""A parallel map that keeps the order of its items."""

import collections
import concurrent.futures
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Given = TypeVar('Given')
Made = TypeVar('Made')


def ordered_map(function: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
    """Applies a function to each item, in one thread per core; yields the results in order, and holds few in memory."""
    cores = os.cpu_count() or 1
    waiting: collections.deque[concurrent.futures.Future[Made]] = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 4 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
