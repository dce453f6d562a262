r"""Measures the time and memory of scores, from existing features.

Core seconds are summed over all cores, and depend less on other processes.

python tools/benchmark_scores.py --count=30000 --dimension=2048
"""

import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import resource
import time
from collections.abc import Callable

import numpy as np
from absl import app, flags

from stackgan_tf.metrics.frechet_distance import Gaussian, Moments, frechet_distance
from stackgan_tf.metrics.kid import kid
from stackgan_tf.metrics.precision_recall import precision_recall

_COUNT = flags.DEFINE_integer('count', 30_000, 'Images of each set.', lower_bound=2)
_DIMENSION = flags.DEFINE_integer('dimension', 2048, 'The dimension of the features.', lower_bound=1)
_KEPT = flags.DEFINE_integer('kept', 10_000, 'Features of each set for KID, precision and recall.')
_BATCH = 100


def timed(title: str, work: Callable[[], object]) -> None:
    """Runs a function and prints its time, and the peak memory of this process."""
    start, start_of_cores = time.perf_counter(), time.process_time()
    result = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    seconds, cores = time.perf_counter() - start, time.process_time() - start_of_cores
    print(f'{title:<40} {seconds:6.1f} s  {cores:6.1f} core s  {peak:5.2f} GiB at most  {result}', flush=True)


def streamed(features: np.ndarray) -> Gaussian:
    """Mean and covariance, accumulated in batches."""
    moments = Moments(features.shape[1])
    for first in range(0, len(features), _BATCH):
        moments.add(features[first : first + _BATCH])
    return moments.gaussian()


def main(_: list[str]) -> None:
    """Measures on absolute values of Gaussian features, non-negative like Inception's."""
    rng = np.random.default_rng(0)
    scale = np.linspace(0.1, 1, _DIMENSION.value, dtype=np.float32)
    shape = (_COUNT.value, _DIMENSION.value)
    real, generated = (np.abs(rng.standard_normal(shape, np.float32)) * scale**power for power in (1, 2))
    timed('features alone', lambda: f'{real.shape} twice')
    timed('Frechet distance with its moments', lambda: frechet_distance(streamed(real), streamed(generated)))
    real, generated = real[: _KEPT.value], generated[: _KEPT.value]
    timed(f'KID, {len(real):,} of each', lambda: kid(real, generated).value)
    timed(f'precision and recall, {len(real):,} of each', lambda: precision_recall(real, generated)['recall'].value)


if __name__ == '__main__':
    app.run(main)
