"""The devices that a run uses."""

import tensorflow as tf

from stackgan_tf.user_error import UserError


def all_devices() -> tf.distribute.Strategy:
    """Mirrors the model over all GPUs, or over the CPU devices where there is none (one, unless configured)."""
    devices = tf.config.list_logical_devices('GPU') or tf.config.list_logical_devices('CPU')
    if len(devices) == 1 and devices[0].device_type == 'CPU':
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


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
