"""Measures what the project claims about speed, as ratios within one run.

python tools/benchmark.py --what=up_block     the folded form against the plain one, by size
python tools/benchmark.py --what=joint_block  the spread-out vector against convolving the tiled one
python tools/benchmark.py --what=export       generating one by one, as exports do, against batches
"""

import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import functools
import statistics
import time
from collections.abc import Callable

import tensorflow as tf
from absl import app, flags
from keras import ops

from stackgan_tf.generator import images_of_seeds, latent_noise
from stackgan_tf.networks.blocks import JointBlock, UpBlock, gated_linear_unit
from stackgan_tf.networks.tree_generator import TreeGenerator

_WHAT = flags.DEFINE_enum('what', 'up_block', ['up_block', 'joint_block', 'export'], 'What to measure.')
_BATCH_SIZE = flags.DEFINE_integer('batch_size', 16, 'Images in a batch.')
_REPEATS = flags.DEFINE_integer('repeats', 20, 'Measurements; their median counts.')


def compare(title: str, slow: Callable[[], object], fast: Callable[[], object]) -> None:
    """Runs both in turn and prints their median times and the ratio."""
    times: dict[str, list[float]] = {'slow': [], 'fast': []}
    for name, work in (('slow', slow), ('fast', fast)) * (_REPEATS.value + 1):
        start = time.perf_counter()
        work()
        times[name].append(time.perf_counter() - start)
    before, after = (1e3 * statistics.median(series[1:]) for series in times.values())
    print(f'{title:<34} {before:8.1f} ms  {after:8.1f} ms  {before / after:5.2f} times faster')


def forward_and_back(
    layer: Callable[..., tf.Tensor], variables: list[tf.Variable], *inputs: tf.Tensor
) -> Callable[[], object]:
    """A compiled forward and backward pass."""

    @tf.function
    def work() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(*inputs) ** 2)
        return tape.gradient(loss, [*inputs, *variables])

    return work


def up_block() -> None:
    """The plain up-block against the folded one, forward and back."""
    for size, channels in ((4, 1024), (4, 128), (8, 64), (16, 64), (16, 24), (32, 64), (32, 16), (64, 32)):
        x = tf.random.normal((_BATCH_SIZE.value, size, size, channels))
        works = []
        for folded in (False, True):
            block = UpBlock(channels // 2, folded=folded)
            block.build(x.shape)
            works.append(forward_and_back(lambda x, b=block: b(x, training=True), block.trainable_variables, x))
        compare(f'up-block {size}x{size}, {channels} channels', *works)


def joint_block() -> None:
    """Convolving the tiled vector against spreading out a 3x3 convolution of it, forward and back."""
    for size, channels in ((16, 24), (32, 16), (64, 64)):
        vector = tf.random.normal((_BATCH_SIZE.value, 100))
        features = tf.random.normal((_BATCH_SIZE.value, size, size, channels))
        block = JointBlock(channels)
        block.build(vector.shape, features.shape)

        def tiled(v: tf.Tensor, f: tf.Tensor, block: JointBlock = block, size: int = size) -> tf.Tensor:
            joined = tf.concat([tf.tile(v[:, None, None], (1, size, size, 1)), f], -1)
            return gated_linear_unit(block.batch_norm(ops.conv(joined, block.kernel, padding='same'), training=True))

        def spread(v: tf.Tensor, f: tf.Tensor, block: JointBlock = block) -> tf.Tensor:
            return block(v, f, training=True)

        works = [forward_and_back(form, block.trainable_variables, vector, features) for form in (tiled, spread)]
        compare(f'joint block {size}x{size}, {channels} channels', *works)


def export() -> None:
    """Images one by one against one batch."""
    for sizes, width in (((16, 32, 64), 24), ((64, 128, 256), 64)):
        network = TreeGenerator(sizes, base_width=width)
        network.build((None, network.noise_dimension))
        seeds = tf.range(_BATCH_SIZE.value, dtype=tf.int64)
        one_by_one = tf.function(lambda s, n=network: images_of_seeds(n, s))
        batched = tf.function(lambda s, n=network: n(latent_noise(s, n.noise_dimension), training=False))
        compare(f'{sizes}', functools.partial(one_by_one, seeds), functools.partial(batched, seeds))


def main(_: list[str]) -> None:
    """Measures what the flag says."""
    {'up_block': up_block, 'joint_block': joint_block, 'export': export}[_WHAT.value]()


if __name__ == '__main__':
    app.run(main)
