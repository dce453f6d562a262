"""Batches for training: which example comes when, and how it looks, from (seed, global example index) alone."""

from collections.abc import Sequence

import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_pyramid import image_pyramid
from stackgan_tf.data.random_crop import random_crop


def example_order(position: tf.Tensor, count: int, seed: int) -> tf.Tensor:
    """Which example stands at a position of the endless shuffled stream.

    Args:
        position: int64 scalar, the global example index.
        count: N, how many examples there are.
        seed: of the run.

    Returns:
        int64 scalar in [0, N): within each N positions every example comes once, each time in another order.
    """
    epoch, place = position // count, position % count
    key = tf.cast(tf.stack([seed, epoch]), tf.int32)
    return tf.random.experimental.index_shuffle(place, key, tf.constant(count - 1, tf.int64))


def training_batches(
    source: ExampleSource,
    sizes: Sequence[int],
    batch_size: int,
    seed: int,
    start_step: int,
    steps: int,
    flip: bool = True,
) -> tf.data.Dataset:
    """The batches of steps `start_step` to `start_step + steps - 1`.

    Args:
        source: the examples.
        sizes: of the pyramid, small to large.
        batch_size: examples in a global batch.
        seed: of the run.
        start_step: the first step, counted from 0.
        steps: how many batches there are.
        flip: whether half of the pictures are mirrored.

    Returns:
        A data set of `{'images': (float32 [batch_size, s, s, 3] in [-1, 1], ...)}`, small to large.
    """

    def choose(position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Which example, and three numbers in [0, 1): where it is cropped, and whether it is flipped (from 0.5 up)."""
        draws = tf.random.stateless_uniform((3,), seed=tf.stack([seed, position]), alg='philox')
        return example_order(position, source.count, seed), draws

    def crop(image: tf.Tensor, draws: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return random_crop(image, sizes[-1], draws[:2]), (draws[2] >= 0.5) & flip

    def batch(crops: tf.Tensor, flips: tf.Tensor) -> dict[str, tuple[tf.Tensor, ...]]:
        return {'images': image_pyramid(crops, flips, sizes)}

    parallel = {'num_parallel_calls': tf.data.AUTOTUNE, 'deterministic': True}
    positions = tf.data.Dataset.range(start_step * batch_size, (start_step + steps) * batch_size)
    chosen = positions.map(choose, **parallel).batch(batch_size, drop_remainder=True)
    # Examples are fetched by the batch, since a source may have to leave the graph for them.
    examples = chosen.map(lambda indices, draws: (source.examples(indices)['image'], draws), **parallel)
    crops = examples.unbatch().map(crop, **parallel)
    batches = crops.batch(batch_size, drop_remainder=True).map(batch, **parallel).prefetch(2)
    options = tf.data.Options()
    # Every replica's rows are a share of the one global batch: nothing is to be sharded by file.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return batches.with_options(options)
