"""Measures what several devices, and what ticks cost, as ratios within one run.

python tools/benchmark_replicas.py replicas   steps on two replicas, each on a logical device of the CPU, against the
                                              same global batch on one device, in turn
python tools/benchmark_replicas.py ticks      the share of a run that reports, samples and checkpoints take
"""

import os

import stackgan_tf  # noqa: F401 (before TensorFlow, whose CPU kernels it chooses)

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
from stackgan_tf.training.upkeep import Upkeep

_GIN_FILE = flags.DEFINE_multi_string(
    'gin_file', ['gin/painted_birds_unconditional.gin'], 'The recipe, as for training; replicas: without captions.'
)
_GIN_PARAM = flags.DEFINE_multi_string('gin_param', [], 'A setting, as for training.')
_REPEATS = flags.DEFINE_integer('repeats', 6, 'replicas: measurements of each; their median counts.')
_STEPS = flags.DEFINE_integer('steps', 10, 'replicas: steps of a measurement.')


def replicas(run: Run) -> None:
    """Seconds a step of the recipe's last phase, on one device and on two."""
    phase = run.phases[-1]
    set_up_operations(run.threads_per_operation)
    cpu = tf.config.list_physical_devices('CPU')[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    works = {}
    for strategy in (tf.distribute.get_strategy(), all_devices()):
        keras.utils.set_random_seed(run.seed)
        with strategy.scope():
            model = phase.make_model()
        if 'embedding' in model.reads or 'tokens' in model.reads:
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
            parts=model.reads,
        )
        settings: dict[str, Any] = {'steps_per_epoch': _STEPS.value, 'shuffle': False, 'verbose': 0}
        works[strategy.num_replicas_in_sync] = functools.partial(model.fit, distributed(batches, strategy), **settings)
    # By the clock, and of the processor, which other work on the machine changes less.
    for name, clock in (('time', time.perf_counter), ('processor time', time.process_time)):
        times: dict[int, list[float]] = {count: [] for count in works}
        for count, work in [*works.items()] * (_REPEATS.value + 1):
            start = clock()
            work()
            times[count].append((clock() - start) / _STEPS.value)
        one, two = (1e3 * statistics.median(measured[1:]) for measured in times.values())  # the first is traced
        print(f'{name:<14}  {one:8.1f} ms a step on one replica, {two:8.1f} ms on two: {two / one:.2f} times')


def ticks(run: Run, config: str) -> None:
    """Trains the recipe in a folder that is removed, and times what the callback does between ticks."""
    spans: list[tuple[float, float]] = []
    on_epoch_end = Upkeep.on_epoch_end

    def timed(*told: Any) -> None:
        start = time.perf_counter()
        on_epoch_end(*told)
        spans.append((start, time.perf_counter()))

    setattr(Upkeep, 'on_epoch_end', timed)  # noqa: B010
    with tempfile.TemporaryDirectory() as folder:
        run.train(RunDirectory(Path(folder) / 'run', config))
    # From the end of the first tick on, in which things are traced.
    taken = sum(end - start for start, end in spans[1:])
    print(f'ticks take {100 * taken / (spans[-1][1] - spans[0][1]):.2f} % of the time ({len(spans) - 1} ticks)')


def main(arguments: list[str]) -> None:
    """Measures what is named."""
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
