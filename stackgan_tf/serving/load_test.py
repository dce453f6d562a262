"""A load test of a server: throughput and latency of a bounded number of concurrent requests."""

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
    """The result of a load test.

    Attributes:
        seconds: its duration.
        latencies: seconds of each successful request, in the order of their numbers.
        failures: the error messages of the failed requests.
    """

    seconds: float
    latencies: tuple[float, ...]
    failures: tuple[str, ...]

    def describe(self, images: int) -> str:
        """Describes the result for people; `images` is the number of images per request."""
        lines = [f'{len(self.latencies)} requests answered in {self.seconds:.1f} s, {len(self.failures)} failed']
        if self.latencies:
            pace = len(self.latencies) / self.seconds
            lines.append(f'throughput  {pace:.2f} requests/s, {pace * images:.2f} images/s')
            values = zip((50, 90, 99), np.percentile(self.latencies, (50, 90, 99)), strict=True)
            percentiles = [f'{percent} % within {1000 * value:.0f} ms' for percent, value in values]
            lines.append(f'latency     {", ".join(percentiles)}, the longest {1000 * max(self.latencies):.0f} ms')
            lines.append(f'the first   {1000 * self.latencies[0]:.0f} ms')
        return '\n'.join([*lines, *sorted(set(self.failures))[:3]])


def run_load(send: Callable[[int], object], requests: int, at_once: int, seconds: float) -> Load:
    """Sends `requests` requests, at most `at_once` concurrently; starts none after `seconds`.

    Args:
        send: called with the number of the request.
        requests: number of requests.
        at_once: number of concurrent requests.
        seconds: requests that have not started by then are skipped.

    Raises:
        UserError: there are too many requests.
    """
    if not 1 <= requests <= MOST_REQUESTS or not 1 <= at_once <= MOST_AT_ONCE:
        raise UserError(f'a load is at most {MOST_REQUESTS} requests, {MOST_AT_ONCE} at once')
    start = time.monotonic()

    def timed(number: int) -> float | str | None:
        begin = time.monotonic()
        if begin - start > seconds:
            return None
        try:
            send(number)
        except UserError as error:
            return str(error)
        return time.monotonic() - begin

    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(timed, range(requests)))
    latencies = tuple(result for result in results if isinstance(result, float))
    failures = tuple(result for result in results if isinstance(result, str))
    return Load(time.monotonic() - start, latencies, failures)
