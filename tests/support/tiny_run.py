"""A run small enough to test: `python tiny_run.py WORKDIR STEPS TICK CHECKPOINT_EVERY [STOP_AT]`.

Trains with deterministic operations; at step STOP_AT it sends itself a SIGTERM, or the signal TINY_RUN_SIGNAL. With
TINY_RUN_STAGES set, it trains StackGAN-v1: 4 steps of Stage-I, then STEPS of Stage-II.
"""

import os
import signal
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from small_models import STAGE_ONE, STAGE_TWO, TREE, build

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.random_crop import random_crops
from stackgan_tf.models.stackgan_v1 import StageI, StageII
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.interruption import InterruptedRunError
from stackgan_tf.training.callbacks.steps import CountSteps
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run


class Noise(ExampleSource):
    """Sixteen images of noise."""

    title = 'noise'
    count = 16

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (self.count, 19, 19, 3), np.uint8)
        self.encoded = tf.constant([tf.io.encode_png(image).numpy() for image in images])

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        return random_crops(tf.gather(self.encoded, indices), size, draws)


UNCONDITIONAL = {'embedding_dimension': 0}
AIDS = {'discriminator_inputs__noise': 0.1, 'averaging_decay': 0.9}


def model() -> StackGANv2:
    return build(StackGANv2, **TREE, **AIDS)


def stage_one() -> StageI:
    return build(StageI, **STAGE_ONE, **UNCONDITIONAL, **AIDS)


def stage_two(stage_one: keras.Model) -> StageII:
    return build(StageII, stage_one, **STAGE_TWO, **UNCONDITIONAL, **AIDS)


def phases(steps: int) -> list[Phase]:
    if 'TINY_RUN_STAGES' not in os.environ:
        return [Phase('tree', model, Noise, steps)]
    second = Phase('second', stage_two, Noise, steps, stage_one=stage_one, stage_one_weights='first')
    return [Phase('first', stage_one, Noise, 4), second]


def train(workdir: Path, steps: int, tick: int, checkpoint_every: int, stop_at: int | None = None) -> int:
    if stop_at is not None:
        on_train_batch_end = CountSteps.on_train_batch_end

        def stop(self, batch, logs=None):
            if self.state.step + 1 == stop_at:
                os.kill(os.getpid(), int(os.environ.get('TINY_RUN_SIGNAL', signal.SIGTERM)))
            on_train_batch_end(self, batch, logs)

        CountSteps.on_train_batch_end = stop
    run = Run(phases(steps), tick, checkpoint_every, seed=0)
    try:
        run.train(RunDirectory(workdir, 'SEED = 0\n'))
    except InterruptedRunError as interrupted:
        return interrupted.status
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    devices = [tf.config.LogicalDeviceConfiguration()] * int(os.environ.get('TINY_RUN_DEVICES', '1'))
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0], devices)
    tf.config.experimental.enable_op_determinism()
    sys.exit(train(Path(sys.argv[1]), *[int(argument) for argument in sys.argv[2:]]))
