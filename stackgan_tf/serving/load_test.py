"""How fast a server is: a bounded number of requests, so many at once, and how long they took."""

import dataclasses
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stackgan_tf.system.errors import UserError

MOST_REQUESTS = 10_000
MOST_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class Load:
    """What came of it.

    Attributes:
        seconds: that it took.
        latencies: of the requests that were answered, seconds, in the order of their numbers.
        failures: what the others ended with.
    """

    seconds: float
    latencies: tuple[float, ...]
    failures: tuple[str, ...]

    def describe(self, pictures: int) -> str:
        """For people; `pictures` are those of one request."""
        lines = [f'{len(self.latencies)} requests answered in {self.seconds:.1f} s, {len(self.failures)} failed']
        if self.latencies:
            pace = len(self.latencies) / self.seconds
            lines.append(f'throughput  {pace:.2f} requests/s, {pace * pictures:.2f} pictures/s')
            values = zip((50, 90, 99), np.percentile(self.latencies, (50, 90, 99)), strict=True)
            shown = [f'{percent} % within {1000 * value:.0f} ms' for percent, value in values]
            lines.append(f'latency     {", ".join(shown)}, the longest {1000 * max(self.latencies):.0f} ms')
            lines.append(f'the first   {1000 * self.latencies[0]:.0f} ms')
        return '\n'.join([*lines, *sorted(set(self.failures))[:3]])


def run_load(ask: Callable[[int], object], requests: int, at_once: int, seconds: float) -> Load:
    """Asks `requests` times, at most `at_once` at a time; begins none after `seconds`.

    Args:
        ask: is given the number of the request.
        requests: how many.
        at_once: how many wait for their answer at a time.
        seconds: after which those that have not begun are left out.

    Raises:
        UserError: there are too many.
    """
    if not 1 <= requests <= MOST_REQUESTS or not 1 <= at_once <= MOST_AT_ONCE:
        raise UserError(f'a load is at most {MOST_REQUESTS} requests, {MOST_AT_ONCE} at once')
    start = time.monotonic()

    def timed(number: int) -> float | str | None:
        begin = time.monotonic()
        if begin - start > seconds:
            return None
        try:
            ask(number)
        except UserError as error:
            return str(error)
        return time.monotonic() - begin

    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(timed, range(requests)))
    latencies = tuple(result for result in results if isinstance(result, float))
    failures = tuple(result for result in results if isinstance(result, str))
    return Load(time.monotonic() - start, latencies, failures)
