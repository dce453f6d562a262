"""Measures what the project claims about speed, as ratios within one run.

python tools/benchmark.py up_block     the folded form against the plain one, by size
python tools/benchmark.py joint_block  the spread-out vector against convolving the tiled one
python tools/benchmark.py export       generating one by one, as exports do, against batches
python tools/benchmark.py pyramid      the lower scales of the pyramid: TensorFlow's resizing against compiled sums
python tools/benchmark.py captions     captions a second of the published text encoders
python tools/benchmark.py input        images a second of a recipe's input, and what limits it; with no recipe named,
                                       gin/image_folder.gin on pictures made up for it: its cache, and their files
python tools/benchmark.py prepare      records a second and memory of preparing an LSUN database made up for it
"""

import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import concurrent.futures
import functools
import hashlib
import io
import multiprocessing
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import lmdb
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import app, flags
from keras import ops
from PIL import Image

import gin
from stackgan_tf.command_line import start_quietly
from stackgan_tf.console import others_silent
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.data.image_pyramid import image_pyramid
from stackgan_tf.data.lsun_scenes.lsun_scenes_dataset_builder import Builder as LsunScenes
from stackgan_tf.data.picture import decode
from stackgan_tf.data.random_crop import random_crops
from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.networks.blocks import JointBlock, UpBlock, gated_linear_unit
from stackgan_tf.networks.char_cnn_rnn import LENGTH, PUBLISHED, CharCNNRNN
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.seeded_images import images_of_seeds, noise_of_seeds
from stackgan_tf.text.character_encoder import CharacterEncoder
from stackgan_tf.user_error import UserError

_BATCH_SIZE = flags.DEFINE_integer('batch_size', 16, 'Images in a batch; not for input, whose recipe says.')
_REPEATS = flags.DEFINE_integer('repeats', 20, 'Measurements; their median counts.')
_GIN_FILE = flags.DEFINE_multi_string('gin_file', [], 'input: the recipe, as for training.')
_GIN_PARAM = flags.DEFINE_multi_string('gin_param', [], 'input: a setting, as for training.')
_SECONDS = flags.DEFINE_float('seconds', 3.0, 'input: how long each part is measured.')
_PICTURES = flags.DEFINE_integer('pictures', 1000, 'input: how many pictures are made up.')
_RECORDS = flags.DEFINE_integer('records', 50_000, 'prepare: how many records are made up.')
_DIFFERENT = 200  # prepare: so many pictures are encoded, the records repeat them


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
        batched = tf.function(lambda s, n=network: n(noise_of_seeds(s, n.noise_dimension), training=False))
        compare(f'{sizes}', functools.partial(one_by_one, seeds), functools.partial(batched, seeds))


def pyramid() -> None:
    """`tf.image.resize` with antialiasing against the sums of the image pyramid."""
    flips = tf.zeros(_BATCH_SIZE.value, tf.bool)
    for sizes in ((16, 32, 64), (64, 128, 256)):
        shape = (_BATCH_SIZE.value, sizes[-1], sizes[-1], 3)
        crops = tf.cast(tf.random.uniform(shape, 0, 256, tf.int32), tf.uint8)

        @tf.function
        def resized(crops: tf.Tensor, sizes: tuple[int, ...] = sizes) -> list[tf.Tensor]:
            largest = tf.cast(crops, tf.float32) / 127.5 - 1.0
            return [tf.image.resize(largest, (size, size), antialias=True) for size in sizes[:-1]]

        summed = tf.function(lambda crops, sizes=sizes: image_pyramid(crops, flips, sizes))
        compare(f'pyramid {sizes}', functools.partial(resized, crops), functools.partial(summed, crops))


class OriginalFiles(ExampleSource):
    """The files of an image folder, whole, for comparison with its cache."""

    def __init__(self, folder: ImageFolder) -> None:
        self.title = folder.title
        self._files = [folder.path(index) for index in range(folder.count)]
        self._paths = tf.constant([os.fsencode(file) for file in self._files])

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._files)

    def decode(self, indices: tf.Tensor) -> tf.Tensor:
        """Decodes the pictures at `indices`, and nothing else."""
        return tf.numpy_function(lambda chosen: len([decode(self._files[i]) for i in chosen]), [indices], tf.int64)

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """Crops of the pictures at `indices`; see `ExampleSource`."""
        return random_crops(tf.map_fn(tf.io.read_file, tf.gather(self._paths, indices)), size, draws)


def input_way() -> None:
    """The input of each phase of a recipe: all of it, and its two parts alone."""
    with tempfile.TemporaryDirectory() as folder:
        files, settings = list(_GIN_FILE.value), list(_GIN_PARAM.value)
        if not files:
            make_photographs(Path(folder) / 'photographs', _PICTURES.value)
            os.environ['STACKGAN_TF_CACHE'] = f'{folder}/cache'
            files, settings = ['gin/image_folder.gin'], [f"IMAGE_ROOT = '{folder}/photographs'", *settings]
        phases = read_recipe(files, settings).run.phases
        sizes, batch_size = (gin.query_parameter(f'{macro}/macro.value') for macro in ('SIZES', 'BATCH_SIZE'))
        for phase in phases:
            start = time.perf_counter()
            source = phase.data()
            print(f'{phase.name}: {source.count:,} pictures, ready after {time.perf_counter() - start:.1f} s')
            measure_input(source, sizes, batch_size)
            if isinstance(source, ImageFolder):
                print('The same pictures from their files, without the cache:')
                measure_input(OriginalFiles(source), sizes, batch_size)


def measure_input(source: ExampleSource, sizes: Sequence[int], batch_size: int) -> None:
    """Prints images a second of the whole input, and of its two parts alone."""
    rows = tf.range(batch_size, dtype=tf.int64)
    draws, flips = tf.fill((batch_size, 2), 0.5), tf.zeros(batch_size, tf.bool)
    crops = source.crops(rows % source.count, draws, sizes[-1])
    steps = tf.data.Dataset.range(10**6)
    parts = {
        'reading and cropping': lambda i: source.crops((i * batch_size + rows) % source.count, draws, sizes[-1]),
        'scaling down': lambda _: image_pyramid(crops, flips, sizes),
    }
    limits = list(parts)
    if isinstance(source, OriginalFiles):
        parts['decoding alone'] = lambda i: source.decode((i * batch_size + rows) % source.count)
    datasets = {name: steps.map(part, num_parallel_calls=tf.data.AUTOTUNE) for name, part in parts.items()}
    datasets['all'] = training_batches(source, sizes, batch_size, 0, 0, 10**6)
    speeds = {name: images_per_second(data, batch_size) for name, data in datasets.items()}
    for name, speed in speeds.items():
        print(f'  {name:<22} {speed:8,.0f} images/s, {1e6 / speed:5.0f} us an image')
    print(f'  limited by {min(limits, key=lambda name: speeds[name])}')


def images_per_second(dataset: tf.data.Dataset, batch_size: int) -> float:
    """The speed of a data set of batches on all cores, once it is running."""
    elements = iter(dataset)
    for seconds in (2.0, _SECONDS.value):  # the first is for warming up
        start, count = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < seconds:
            next(elements)
            count += batch_size
    return count / passed


def make_photographs(folder: Path, count: int) -> None:
    """JPEG files of 500 x 375 pixels, a few different ones."""
    folder.mkdir()
    different = [encoded(pixels, 'JPEG', 90) for pixels in photographs(min(count, 16), 375, 500)]
    for number in range(count):
        (folder / f'{number}.jpg').write_bytes(different[number % len(different)])


def photographs(count: int, height: int, width: int) -> Iterator[np.ndarray]:
    """Pixels whose spectrum, and so the size of their files and the work of decoding, is a photograph's."""
    rng = np.random.default_rng(0)
    distance = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    distance[0, 0] = np.inf
    for _ in range(count):
        spectra = np.fft.rfft2(rng.standard_normal((4, height, width))) / distance**1.4
        grey, *colours = (plane / plane.std() for plane in np.fft.irfft2(spectra, (height, width)))
        pixels = 120 + 50 * (0.8 * grey[..., None] + 0.3 * np.stack(colours, -1))
        yield np.clip(pixels, 0, 255).astype(np.uint8)


def encoded(pixels: np.ndarray, encoding: str, quality: int) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, encoding, quality=quality)
    return file.getvalue()


def prepare() -> None:
    """Preparing bedrooms: WebP pictures of about 15 kB whose shorter side is 256, as LSUN's."""
    with tempfile.TemporaryDirectory() as folder:
        size = make_lsun(Path(folder) / 'bedroom_train_lmdb', _RECORDS.value)
        print(f'{_RECORDS.value:,} records, {size / _RECORDS.value / 1e3:.1f} kB each')
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as process:
            seconds, before, peak = process.submit(prepare_bedrooms, folder).result()
    print(f'{_RECORDS.value / seconds:,.0f} records/s')
    print(f'peak resident memory {peak:,.0f} MiB, of which {before:,.0f} MiB before it began')


def make_lsun(folder: Path, count: int) -> int:
    """Makes a database such as LSUN's, without its lock file; returns its pictures' bytes."""
    pictures = [encoded(pixels, 'WEBP', 80) for pixels in photographs(_DIFFERENT, 256, 342)]
    folder.mkdir()
    with lmdb.open(str(folder), map_size=1 << 40, lock=False) as database, database.begin(write=True) as written:
        for number in range(count):
            written.put(hashlib.sha1(b'%d' % number).hexdigest().encode(), pictures[number % _DIFFERENT])
    return sum(len(pictures[number % _DIFFERENT]) for number in range(count))


def prepare_bedrooms(folder: str) -> tuple[float, float, float]:
    """Prepares what `prepare` made; returns seconds, and this process's peak memory before and after, MiB."""
    start_quietly()
    builder = LsunScenes(config='bedroom', data_dir=f'{folder}/data')
    config = tfds.download.DownloadConfig(manual_dir=folder, try_download_gcs=False)
    before, start = peak_memory(), time.perf_counter()
    tfds.disable_progress_bar()
    with others_silent():
        builder.download_and_prepare(download_config=config)
    return time.perf_counter() - start, before, peak_memory()


def peak_memory() -> float:
    """The most that this process has had in memory, mapped files included, MiB."""
    (kibibytes,) = re.findall(r'VmHWM:\s*(\d+) kB', Path('/proc/self/status').read_text())
    return int(kibibytes) / 1024


def captions() -> None:
    """Captions a second of the published text encoders, in batches of 128."""
    batch = tf.constant(['a small red bird with a black crown, a white belly and a short pointed beak'] * 128)
    for name, settings in PUBLISHED.items():
        network = CharCNNRNN(**settings)
        network.build((None, LENGTH))
        embed = tf.function(CharacterEncoder(network).__call__)
        times = []
        for _ in range(_REPEATS.value + 1):
            start = time.perf_counter()
            embed(batch)
            times.append(time.perf_counter() - start)
        print(f'{name:<22} {len(batch) / statistics.median(times[1:]):8,.0f} captions/s')


_SUBJECTS = {
    'up_block': up_block,
    'joint_block': joint_block,
    'export': export,
    'pyramid': pyramid,
    'captions': captions,
    'input': input_way,
    'prepare': prepare,
}


def main(arguments: list[str]) -> None:
    """Measures what the command names."""
    if len(arguments) != 2 or arguments[1] not in _SUBJECTS:
        raise app.UsageError(f'name what to measure: {", ".join(_SUBJECTS)}')
    start_quietly()
    try:
        _SUBJECTS[arguments[1]]()
    except UserError as error:
        sys.exit(f'benchmark.py: {error}')


if __name__ == '__main__':
    app.run(main)
