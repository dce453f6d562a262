"""`input`: images per second of a recipe's input pipeline, and its bottleneck."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from absl import flags

import gin
from benchmarks.photographs import encoded, photographs
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_decoding import decode
from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.data.image_pyramid import image_pyramid
from stackgan_tf.data.random_crop import random_crops
from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.recipe.recipe import read_recipe

GIN_FILE = flags.DEFINE_multi_string('gin_file', [], 'input: the recipe, as for training.')
GIN_PARAM = flags.DEFINE_multi_string('gin_param', [], 'input, train, sample: a setting, as for training.')
_SECONDS = flags.DEFINE_float('seconds', 3.0, 'input: the duration of each measurement.')
_IMAGES = flags.DEFINE_integer('images', 1000, 'input: number of synthetic images.')


class OriginalFiles(ExampleSource):
    """The files of an image folder, whole, for comparison with its cache."""

    def __init__(self, folder: ImageFolder) -> None:
        self.title = folder.title
        self._files = [folder.path(index) for index in range(folder.count)]
        self._paths = tf.constant([os.fsencode(file) for file in self._files])

    @property
    def count(self) -> int:
        """Number of files."""
        return len(self._files)

    def decode(self, indices: tf.Tensor) -> tf.Tensor:
        """Decodes the images at `indices`; returns their number."""
        return tf.numpy_function(lambda chosen: len([decode(self._files[i]) for i in chosen]), [indices], tf.int64)

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """Crops of the images at `indices`; see `ExampleSource`."""
        return random_crops(tf.map_fn(tf.io.read_file, tf.gather(self._paths, indices)), size, draws)


def input_pipeline() -> None:
    """Measures the input of each phase of a recipe: all of it, and its two parts separately."""
    with tempfile.TemporaryDirectory() as folder:
        files, settings = list(GIN_FILE.value), list(GIN_PARAM.value)
        if not files:
            make_photographs(Path(folder) / 'photographs', _IMAGES.value)
            os.environ['STACKGAN_TF_CACHE'] = f'{folder}/cache'
            files, settings = ['gin/image_folder.gin'], [f"IMAGE_ROOT = '{folder}/photographs'", *settings]
        phases = read_recipe(files, settings).run.phases
        sizes, batch_size = (gin.query_parameter(f'{macro}/macro.value') for macro in ('SIZES', 'BATCH_SIZE'))
        for phase in phases:
            start = time.perf_counter()
            source = phase.data()
            print(f'{phase.name}: {source.count:,} images, ready after {time.perf_counter() - start:.1f} s')
            measure_input(source, sizes, batch_size)
            if isinstance(source, ImageFolder):
                print('The same images from their files, without the cache:')
                measure_input(OriginalFiles(source), sizes, batch_size)


def measure_input(source: ExampleSource, sizes: Sequence[int], batch_size: int) -> None:
    """Prints images per second of the whole input, and of its two parts separately."""
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
        print(f'  {name:<22} {speed:8,.0f} images/s, {1e6 / speed:5.0f} us per image')
    print(f'  limited by {min(limits, key=lambda name: speeds[name])}')


def images_per_second(dataset: tf.data.Dataset, batch_size: int) -> float:
    """The throughput of a data set of batches on all cores, after warming up."""
    elements = iter(dataset)
    for seconds in (2.0, _SECONDS.value):  # the first warms up
        start, count = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < seconds:
            next(elements)
            count += batch_size
    return count / passed


def make_photographs(folder: Path, count: int) -> None:
    """Writes JPEG files of 500 x 375 pixels, with a few distinct contents."""
    folder.mkdir()
    different = [encoded(pixels, 'JPEG', 90) for pixels in photographs(min(count, 16), 375, 500)]
    for number in range(count):
        (folder / f'{number}.jpg').write_bytes(different[number % len(different)])
