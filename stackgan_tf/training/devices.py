"""The devices that a run uses."""

import contextlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from stackgan_tf.system.errors import UserError


def all_devices() -> tf.distribute.Strategy:
    """Mirrors the model over all GPUs, or over the CPU devices where there is none (one, unless configured)."""
    devices = tf.config.list_logical_devices('GPU') or tf.config.list_logical_devices('CPU')
    if len(devices) == 1 and devices[0].device_type == 'CPU':
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def distributed(batches: Callable[..., tf.data.Dataset], strategy: tf.distribute.Strategy) -> Any:
    """The batches of each worker: the rows of its own replicas alone.

    Args:
        batches: a function that makes them; takes `shares` and `own_shares`, see `training_batches`.
        strategy: of the replicas.

    Returns:
        The data set for `fit`. It repeats and never ends, because hosts would ask each other at every step whether it
        has ended.
    """

    def own(context: tf.distribute.InputContext) -> tf.data.Dataset:
        replicas = context.num_replicas_in_sync // context.num_input_pipelines
        first = context.input_pipeline_id * replicas
        return batches(shares=context.num_replicas_in_sync, own_shares=range(first, first + replicas)).repeat()

    return strategy.distribute_datasets_from_function(own)


def set_up_operations(threads: int) -> None:
    """Sets how this process computes.

    TensorFlow's arithmetic optimization reorders sums by the names of operations, which depend on the history of the
    process: the last bits of a resumed run would differ. So it is off.

    Args:
        threads: of each operation, 0 for one per core; no effect once TensorFlow has computed. Small networks are
            faster with one, as operations run in parallel; large ones with all.
    """
    tf.config.optimizer.set_experimental_options({'arithmetic_optimization': False})
    with contextlib.suppress(RuntimeError):  # in a process that has computed before: tests, notebooks
        tf.config.threading.set_intra_op_parallelism_threads(threads)


def check_compilation(jit_compile: bool, strategy: tf.distribute.Strategy) -> None:
    """XLA cannot compile the communication of replicas.

    Raises:
        UserError: it is asked to.
    """
    replicas = strategy.num_replicas_in_sync
    if jit_compile and replicas > 1:
        raise UserError(f'Recipe.jit_compile = True works on one device, and there are {replicas}: leave it out')


def check_batch_size(batch_size: int, strategy: tf.distribute.Strategy) -> None:
    """Each replica needs the same number of rows.

    Raises:
        UserError: the global batch cannot be shared out evenly.
    """
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise UserError(
            f'BATCH_SIZE = {batch_size} cannot be shared by {replicas} devices: use a multiple of {replicas}'
        )
