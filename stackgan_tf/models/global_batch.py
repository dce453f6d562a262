"""The global batch of a step and its shares: each replica holds as many rows, in the order of replica numbers."""

import tensorflow as tf


def own_rows(whole: tf.Tensor) -> tf.Tensor:
    """This replica's rows of a tensor that every replica holds whole: `[N, ...]` to `[N / replicas, ...]`."""
    replica = tf.distribute.get_replica_context()
    rows = tf.shape(whole)[0] // replica.num_replicas_in_sync
    first = replica.replica_id_in_sync_group * rows
    return whole[first : first + rows]


def all_rows(own: tf.Tensor) -> tf.Tensor:
    """The rows of all replicas: `[N / replicas, ...]` to `[N, ...]`.

    Differentiable: a replica's rows get the sum of their gradients on all replicas.
    """
    replica = tf.distribute.get_replica_context()
    replicas = replica.num_replicas_in_sync
    if replicas == 1:
        return own
    # The sum of tensors that are 0 outside each replica's rows: `all_gather` fails on tensors from outside the graph.
    rows = own.shape[0]
    before = replica.replica_id_in_sync_group * rows
    padded = tf.pad(own, [[before, (replicas - 1) * rows - before], *[[0, 0]] * (own.shape.rank - 1)])
    return tf.ensure_shape(replica.all_reduce('SUM', padded), (replicas * rows, *own.shape[1:]))
