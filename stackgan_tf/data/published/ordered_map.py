"""Work of many threads in the order of what it is done to."""

import collections
import concurrent.futures
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Given = TypeVar('Given')
Made = TypeVar('Made')


def ordered_map(function: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
    """What a function makes of each item, made by all cores, a few at work at a time, so that memory stays small."""
    cores = os.cpu_count() or 1
    waiting: collections.deque[concurrent.futures.Future[Made]] = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 4 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
