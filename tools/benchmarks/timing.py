"""Alternating timing of two implementations."""

import statistics
import time
from collections.abc import Callable

import tensorflow as tf
from absl import flags

BATCH_SIZE = flags.DEFINE_integer('batch_size', 16, 'Images per batch; recipes have their own.')
REPEATS = flags.DEFINE_integer('repeats', 20, 'Measurements, of which the median is taken.')


def compare(title: str, slow: Callable[[], object], fast: Callable[[], object]) -> None:
    """Runs both alternately and prints their median times and the ratio."""
    times: dict[str, list[float]] = {'slow': [], 'fast': []}
    for name, work in (('slow', slow), ('fast', fast)) * (REPEATS.value + 1):
        start = time.perf_counter()
        work()
        times[name].append(time.perf_counter() - start)
    before, after = (1e3 * statistics.median(series[1:]) for series in times.values())
    print(f'{title:<34} {before:8.1f} ms  {after:8.1f} ms  {before / after:5.2f} times faster')


def forward_and_back(
    layer: Callable[..., tf.Tensor], variables: list[tf.Variable], *inputs: tf.Tensor
) -> Callable[[], object]:
    """A compiled forward and backward pass."""

    @tf.function
    def work() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(*inputs) ** 2)
        return tape.gradient(loss, [*inputs, *variables])

    return work
