"""Measures the cost of replicas and of ticks, as ratios within one run.

python tools/benchmark_replicas.py replicas   steps on two replicas, each on a logical device of the CPU, alternating
                                              with the same global batch on one device
python tools/benchmark_replicas.py ticks      the share of a run's time that reports, samples and checkpoints take
"""

import os

import stackgan_tf  # noqa: F401 (chooses TensorFlow's CPU kernels before TensorFlow is imported)

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import functools
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import app, flags, logging

from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.command_line import start_quietly
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.devices import all_devices, check_batch_size, distributed, set_up_operations
from stackgan_tf.training.run import Run

_GIN_FILE = flags.DEFINE_multi_string(
    'gin_file', ['gin/painted_birds_unconditional.gin'], 'The recipe, as for training; replicas: without captions.'
)
_GIN_PARAM = flags.DEFINE_multi_string('gin_param', [], 'A setting, as for training.')
_REPEATS = flags.DEFINE_integer('repeats', 6, 'replicas: measurements of each, of which the median is taken.')
_STEPS = flags.DEFINE_integer('steps', 10, 'replicas: steps per measurement.')


def replicas(run: Run) -> None:
    """Prints the time per step of the recipe's last phase, on one device and on two."""
    phase = run.phases[-1]
    set_up_operations(run.threads_per_operation)
    cpu = tf.config.list_physical_devices('CPU')[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    works = {}
    for strategy in (tf.distribute.get_strategy(), all_devices()):
        keras.utils.set_random_seed(run.seed)
        with strategy.scope():
            model = phase.make_model()
        if 'embedding' in model.batch_keys or 'tokens' in model.batch_keys:
            raise UserError('name a recipe without captions: gin/painted_birds_unconditional.gin')
        check_batch_size(model.batch_size, strategy)
        batches = functools.partial(
            training_batches,
            phase.data(),
            model.sizes,
            model.batch_size,
            model.seed,
            start_step=0,
            steps=_STEPS.value,
            parts=model.batch_keys,
        )
        settings: dict[str, Any] = {'steps_per_epoch': _STEPS.value, 'shuffle': False, 'verbose': 0}
        works[strategy.num_replicas_in_sync] = functools.partial(model.fit, distributed(batches, strategy), **settings)
    # Wall time, and processor time, which depends less on other processes.
    for name, clock in (('time', time.perf_counter), ('processor time', time.process_time)):
        times: dict[int, list[float]] = {count: [] for count in works}
        for count, work in [*works.items()] * (_REPEATS.value + 1):
            start = clock()
            work()
            times[count].append((clock() - start) / _STEPS.value)
        one, two = (1e3 * statistics.median(measured[1:]) for measured in times.values())  # the first includes tracing
        print(f'{name:<14}  {one:8.1f} ms per step on one replica, {two:8.1f} ms on two: {two / one:.2f} times')


def ticks(run: Run, config: str) -> None:
    """Trains the recipe in a temporary folder, and prints the time of the callbacks at ticks."""
    spans: list[tuple[float, float]] = []
    on_epoch_end = keras.callbacks.CallbackList.on_epoch_end

    def timed(*arguments: Any) -> None:
        start = time.perf_counter()
        on_epoch_end(*arguments)
        spans.append((start, time.perf_counter()))

    setattr(keras.callbacks.CallbackList, 'on_epoch_end', timed)  # noqa: B010
    with tempfile.TemporaryDirectory() as folder:
        run.train(RunDirectory(Path(folder) / 'run', config))
    # Without the first tick, which includes tracing.
    taken = sum(end - start for start, end in spans[1:])
    print(f'ticks take {100 * taken / (spans[-1][1] - spans[0][1]):.2f} % of the time ({len(spans) - 1} ticks)')


def main(arguments: list[str]) -> None:
    """Measures the subject of the command line."""
    logging.set_verbosity(logging.ERROR)
    start_quietly()
    try:
        recipe = read_recipe(_GIN_FILE.value, _GIN_PARAM.value)
        if arguments[1:] == ['replicas']:
            replicas(recipe.run)
        elif arguments[1:] == ['ticks']:
            ticks(recipe.run, recipe.config)
        else:
            raise UserError('name one of: replicas, ticks')
    except UserError as error:
        sys.exit(f'benchmark_replicas.py: {error}')


if __name__ == '__main__':
    app.run(main)
