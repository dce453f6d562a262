"""The machine: its hardware and versions, the peak of its matrix products, memory."""

import os
import platform
import re
import time
from importlib import metadata
from pathlib import Path

import tensorflow as tf

from stackgan_tf.system.onednn import KEY, onednn_is_on

_SIZE = 2048  # the size of the timed matrices
_PACKAGES = ('stackgan_tf', 'tensorflow', 'keras', 'numpy')


def describe_machine() -> dict[str, object]:
    """Processor, cores, memory, GPUs and versions."""
    processor = re.search(r'model name\s*:\s*(.*)', Path('/proc/cpuinfo').read_text())
    return {
        'processor': processor.group(1) if processor else platform.machine(),
        'cores': len(os.sched_getaffinity(0)),
        'memory_gib': round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30, 1),
        'gpus': [device.name for device in tf.config.list_physical_devices('GPU')],
        KEY: onednn_is_on(),
        'python': platform.python_version(),
        'versions': {package: metadata.version(package) for package in _PACKAGES},
    }


class MatrixPeak:
    """The peak performance of square matrix products in one data type.

    Attributes:
        gflops: 1e9 operations per second; 0 before the first measurement.
    """

    def __init__(self, dtype: str) -> None:
        matrix = tf.cast(tf.random.stateless_normal((_SIZE, _SIZE), (0, 0)), dtype)
        self._product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
        self._product()
        self.gflops = 0.0

    def measure(self) -> None:
        """Times one product."""
        start = time.perf_counter()
        self._product().numpy()
        self.gflops = max(self.gflops, 2e-9 * _SIZE**3 / (time.perf_counter() - start))


def peak_memory() -> float:
    """The peak resident memory of this process, with mapped files, MiB."""
    (kibibytes,) = re.findall(r'VmHWM:\s*(\d+) kB', Path('/proc/self/status').read_text())
    return int(kibibytes) / 1024
