"""`prepare`: records per second and memory of the preparation of a large data set."""

import concurrent.futures
import hashlib
import multiprocessing
import tempfile
import time
from pathlib import Path

import lmdb
import tensorflow_datasets as tfds
from absl import flags

from benchmarks.machine import peak_memory
from benchmarks.photographs import encoded, photographs
from stackgan_tf.data.published.lsun_scenes.lsun_scenes_dataset_builder import Builder as LsunScenes
from stackgan_tf.system.command_line import start_quietly
from stackgan_tf.system.console import others_silent

_RECORDS = flags.DEFINE_integer('records', 50_000, 'prepare: number of synthetic records.')
_DIFFERENT = 200  # distinct images, which the records repeat


def prepare() -> None:
    """Measures the preparation of bedrooms: WebP images of about 15 kB whose shorter side is 256, as in LSUN."""
    with tempfile.TemporaryDirectory() as folder:
        size = make_lsun(Path(folder) / 'bedroom_train_lmdb', _RECORDS.value)
        print(f'{_RECORDS.value:,} records, {size / _RECORDS.value / 1e3:.1f} kB each')
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as process:
            seconds, before, peak = process.submit(prepare_bedrooms, folder).result()
    print(f'{_RECORDS.value / seconds:,.0f} records/s')
    print(f'peak resident memory {peak:,.0f} MiB, of which {before:,.0f} MiB before the start')


def make_lsun(folder: Path, count: int) -> int:
    """Writes a database like LSUN's, without its lock file; returns the total bytes of its images."""
    images = [encoded(pixels, 'WEBP', 80) for pixels in photographs(_DIFFERENT, 256, 342)]
    folder.mkdir()
    with lmdb.open(str(folder), map_size=1 << 40, lock=False) as database, database.begin(write=True) as written:
        for number in range(count):
            written.put(hashlib.sha1(b'%d' % number).hexdigest().encode(), images[number % _DIFFERENT])
    return sum(len(images[number % _DIFFERENT]) for number in range(count))


def prepare_bedrooms(folder: str) -> tuple[float, float, float]:
    """Prepares the synthetic database; returns seconds, and this process's peak memory before and after, MiB."""
    start_quietly()
    builder = LsunScenes(config='bedroom', data_dir=f'{folder}/data')
    config = tfds.download.DownloadConfig(manual_dir=folder, try_download_gcs=False)
    before, start = peak_memory(), time.perf_counter()
    tfds.disable_progress_bar()
    with others_silent():
        builder.download_and_prepare(download_config=config)
    return time.perf_counter() - start, before, peak_memory()
