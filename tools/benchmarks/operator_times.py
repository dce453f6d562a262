"""The time of a step by kind of operation, from TensorFlow's profiler."""

import collections
import tempfile
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

_SHOWN = 10


def operator_times(work: Callable[[], object]) -> list[tuple[str, float]]:
    """The kinds of operations that take most of the time, with their shares, largest first."""
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        work()
        tf.profiler.experimental.stop()
        (file,) = Path(folder).rglob('*.xplane.pb')
        profile = xplane_pb2.XSpace.FromString(file.read_bytes())
    times: collections.Counter[str] = collections.Counter()
    for plane in profile.planes:
        for line in plane.lines:
            for event in line.events:
                # The event of an operation has the name NAME:KIND.
                _, _, kind = plane.event_metadata[event.metadata_id].name.partition(':')
                if kind.isidentifier() or kind.startswith('_Mkl'):
                    times[kind] += event.duration_ps
    total = sum(times.values())
    return [(kind, time / total) for kind, time in times.most_common(_SHOWN)]
