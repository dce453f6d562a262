"""Parts of a model, and text encoders: the package's implementation against the plain one."""

import functools
import statistics
import time

import tensorflow as tf
from keras import ops

from benchmarks.timing import BATCH_SIZE, REPEATS, compare, forward_and_back
from stackgan_tf.data.image_pyramid import image_pyramid
from stackgan_tf.networks.blocks import JointBlock, UpBlock
from stackgan_tf.networks.char_cnn_rnn import LENGTH, PUBLISHED, CharCNNRNN
from stackgan_tf.networks.convolution_block import gated_linear_unit
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.seeded_images import images_of_seeds, noise_of_seeds
from stackgan_tf.text.character_encoder import CharacterEncoder


def up_block() -> None:
    """The plain up-block against the folded one, forward and backward."""
    for size, channels in ((4, 1024), (4, 128), (8, 64), (16, 64), (16, 24), (32, 64), (32, 16), (64, 32)):
        x = tf.random.normal((BATCH_SIZE.value, size, size, channels))
        works = []
        for folded in (False, True):
            block = UpBlock(channels // 2, folded=folded)
            block.build(x.shape)
            works.append(forward_and_back(lambda x, b=block: b(x, training=True), block.trainable_variables, x))
        compare(f'up-block {size}x{size}, {channels} channels', *works)


def joint_block() -> None:
    """A convolution of the tiled vector against the spread-out 3x3 convolution of it, forward and backward."""
    for size, channels in ((16, 24), (32, 16), (64, 64)):
        vector = tf.random.normal((BATCH_SIZE.value, 100))
        features = tf.random.normal((BATCH_SIZE.value, size, size, channels))
        block = JointBlock(channels)
        block.build(features.shape, vector.shape)

        def tiled(v: tf.Tensor, f: tf.Tensor, block: JointBlock = block, size: int = size) -> tf.Tensor:
            joined = tf.concat([tf.tile(v[:, None, None], (1, size, size, 1)), f], -1)
            assert block.batch_norm is not None
            return gated_linear_unit(
                block.batch_norm(ops.conv(joined, block.conv.kernel, padding='same'), training=True)
            )

        def spread(v: tf.Tensor, f: tf.Tensor, block: JointBlock = block) -> tf.Tensor:
            return block(f, v, training=True)

        works = [forward_and_back(form, block.trainable_variables, vector, features) for form in (tiled, spread)]
        compare(f'joint block {size}x{size}, {channels} channels', *works)


def export() -> None:
    """Images one by one against one batch."""
    for sizes, width in (((16, 32, 64), 24), ((64, 128, 256), 64)):
        network = TreeGenerator(sizes=sizes, generator_width=width)
        network.build((None, network.noise_dimension))
        seeds = tf.range(BATCH_SIZE.value, dtype=tf.int64)
        one_by_one = tf.function(lambda s, n=network: images_of_seeds(n, s))
        batched = tf.function(lambda s, n=network: n(noise_of_seeds(s, n.noise_dimension), training=False))
        compare(f'{sizes}', functools.partial(one_by_one, seeds), functools.partial(batched, seeds))


def pyramid() -> None:
    """`tf.image.resize` with antialiasing against the sums of the image pyramid."""
    flips = tf.zeros(BATCH_SIZE.value, tf.bool)
    for sizes in ((16, 32, 64), (64, 128, 256)):
        shape = (BATCH_SIZE.value, sizes[-1], sizes[-1], 3)
        crops = tf.cast(tf.random.uniform(shape, 0, 256, tf.int32), tf.uint8)

        @tf.function
        def resized(crops: tf.Tensor, sizes: tuple[int, ...] = sizes) -> list[tf.Tensor]:
            largest = tf.cast(crops, tf.float32) / 127.5 - 1.0
            return [tf.image.resize(largest, (size, size), antialias=True) for size in sizes[:-1]]

        summed = tf.function(lambda crops, sizes=sizes: image_pyramid(crops, flips, sizes))
        compare(f'pyramid {sizes}', functools.partial(resized, crops), functools.partial(summed, crops))


def captions() -> None:
    """Captions per second of the published text encoders, in batches of 128."""
    batch = tf.constant(['a small red bird with a black crown, a white belly and a short pointed beak'] * 128)
    for name, settings in PUBLISHED.items():
        network = CharCNNRNN(**settings)
        network.build((None, LENGTH))
        embed = tf.function(CharacterEncoder(network).__call__)
        times = []
        for _ in range(REPEATS.value + 1):
            start = time.perf_counter()
            embed(batch)
            times.append(time.perf_counter() - start)
        print(f'{name:<22} {len(batch) / statistics.median(times[1:]):8,.0f} captions/s')
