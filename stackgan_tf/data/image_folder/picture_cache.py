"""The first pass over a folder of pictures: each is read once, and kept in TFRecord files that training reads from.

A cache entry belongs to one state of the folder: its name holds a hash of everything that the pictures in it depend on,
so that a changed folder gets a new entry. It grows by whole shards; an interrupted first pass goes on with the next.
"""

import collections
import concurrent.futures
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from stackgan_tf.console import say
from stackgan_tf.data.image_folder.listing import Listing, PictureFile, shown
from stackgan_tf.data.image_folder.picture_file import (
    PREPROCESSING_VERSION,
    encode_compact,
    encode_lossless,
    read_picture,
)
from stackgan_tf.data.picture import BadPictureError
from stackgan_tf.data.random_crop import corners
from stackgan_tf.files import write_json, write_whole
from stackgan_tf.user_error import UserError

SHARD = 8192  # files
BAD_FILES = 'bad_files.txt'
_FRAME_BEFORE, _FRAME_AFTER = 12, 4  # what TFRecord puts around a record, bytes
_NAMED = 10  # bad files that are shown; all are in a file


def cache_folder() -> Path:
    """Where caches are kept: `STACKGAN_TF_CACHE`, or `stackgan_tf` in the user's cache folder."""
    if own := os.environ.get('STACKGAN_TF_CACHE'):
        return Path(own).expanduser()
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'stackgan_tf'


@dataclasses.dataclass(frozen=True)
class Preparation:
    """How pictures are prepared.

    Attributes:
        load_size: what their shorter side becomes, pixels.
        crop_to_boxes: whether they are cropped around the boxes that are known.
        lossless: whether they are kept uncompressed or as JPEG.
    """

    load_size: int
    crop_to_boxes: bool
    lossless: bool

    def prepare(self, listing: Listing, file: PictureFile) -> tuple[bytes, tuple[int, int], bool]:
        """The encoded picture of a file, its height and width, and whether it was enlarged.

        Raises:
            BadPictureError: the file cannot be used.
        """
        box = listing.annotation(file.name).box if self.crop_to_boxes else None
        image, enlarged = read_picture(listing.root / file.name, self.load_size, box)
        encoded = encode_lossless(image) if self.lossless else encode_compact(image)
        return encoded, (image.height, image.width), enlarged

    def expected_bytes(self, count: int) -> int:
        """About what so many pictures take: with sides of 4 to 3, and JPEG an eighth of the pixels."""
        return count * self.load_size**2 * 4 // (1 if self.lossless else 8)


class PictureCache:
    """The prepared pictures of a listing: made if they are not there, then read at random.

    Args:
        listing: what to prepare.
        preparation: how.
        limit: bytes that all entries of the cache folder together may take.

    Attributes:
        path: of the entry.
        positions: int64 `[count]`, of each picture in the listing, where unusable files are counted too.

    Raises:
        UserError: no picture is usable, or there is no room.
    """

    def __init__(self, listing: Listing, preparation: Preparation, limit: int) -> None:
        self._listing = listing
        self._preparation = preparation
        self._limit = limit
        name = re.sub(r'[^A-Za-z0-9_.-]', '_', listing.root.absolute().name)
        self.path = cache_folder() / f'{name}-{_key(listing, preparation)}'
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self.path)
        self._numbers = range(-(-len(listing.files) // SHARD))
        if self._missing():
            fcntl.flock(self._lock, fcntl.LOCK_EX)  # waits for another process that prepares the same
            if self._missing():
                self._first_pass()
            fcntl.flock(self._lock, fcntl.LOCK_SH)
        os.utime(self.path)  # used now: others are removed first
        self._open([self._contents(number) for number in self._numbers])

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self.positions)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """The encoded pictures at `indices`: objects `[N]`, bytes."""
        lengths, ends = self._lengths[indices], self._ends[indices]
        return np.array([self._bytes(*where) for where in zip(indices, ends - lengths, lengths, strict=True)], object)

    def crops(self, indices: np.ndarray, draws: np.ndarray, size: int) -> np.ndarray:
        """Crops of lossless pictures; see `ExampleSource.crops`. Reads no more of a picture than the rows it needs."""
        crops = np.empty((len(indices), size, size, 3), np.uint8)
        shapes = self._shapes[indices]
        where = zip(crops, indices, shapes, corners(shapes, size, draws), strict=True)
        for crop, index, (height, width), (top, left) in where:
            # The pixels are the end of the record.
            rows = self._bytes(index, self._ends[index] - 3 * width * (height - top), 3 * width * size)
            crop[:] = np.frombuffer(rows, np.uint8).reshape(size, width, 3)[:, left : left + size]
        return crops

    def _bytes(self, index: int, first: int, length: int) -> bytes:
        return os.pread(self._files[self._shards[index]].fileno(), int(length), int(first))

    def _missing(self) -> list[int]:
        """The shards that are not there, or not whole."""
        return [number for number in self._numbers if not self._is_whole(number)]

    def _first_pass(self) -> None:
        files = self._listing.files
        self._make_room()
        say(f'First pass over {len(files):,} pictures (once; kept in {self.path}) ...')
        with (
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
            tqdm(total=len(files), unit=' pictures', disable=None, leave=False) as progress,
            warnings.catch_warnings(),
        ):
            # Of what Pillow only warns about, it makes pictures nevertheless.
            warnings.simplefilter('ignore')
            for number in self._missing():
                progress.update(number * SHARD - progress.n)
                self._write_shard(number, files[number * SHARD : (number + 1) * SHARD], pool, progress)

    def _write_shard(
        self, number: int, files: list[PictureFile], pool: concurrent.futures.Executor, progress: tqdm
    ) -> None:
        contents: dict[str, Any] = {'positions': [], 'lengths': [], 'shapes': [], 'enlarged': 0, 'bad': []}
        path = self._shard(number)
        beside = path.with_name(f'.{path.name}')
        taken = sum(earlier.stat().st_size for earlier in self.path.glob('*.tfrecord'))
        try:
            with tf.io.TFRecordWriter(str(beside)) as writer:
                for position, outcome in enumerate(_in_order(pool, self._try, files)):
                    progress.update()
                    if isinstance(outcome, str):
                        contents['bad'].append((position, outcome))
                        continue
                    encoded, shape, enlarged = outcome
                    writer.write(encoded)
                    contents['positions'].append(position)
                    contents['lengths'].append(len(encoded))
                    contents['shapes'].append(shape)
                    contents['enlarged'] += enlarged
                    taken += len(encoded) + _FRAME_BEFORE + _FRAME_AFTER
                    if taken > self._limit:
                        raise UserError(self._no_room(f'the cache may take {_gigabytes(self._limit)}'))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        write_json(path.with_suffix('.json'), contents)

    def _try(self, file: PictureFile) -> tuple[bytes, tuple[int, int], bool] | str:
        """The prepared picture, or why there is none."""
        try:
            return self._preparation.prepare(self._listing, file)
        except BadPictureError as error:
            return str(error)

    def _shard(self, number: int) -> Path:
        return self.path / f'pictures-{number:05}.tfrecord'

    def _contents(self, number: int) -> dict[str, Any]:
        return json.loads(self._shard(number).with_suffix('.json').read_text(encoding='utf-8'))

    def _is_whole(self, number: int) -> bool:
        """Whether a shard is there, as long as it must be."""
        try:
            lengths = self._contents(number)['lengths']
            framed = sum(lengths) + len(lengths) * (_FRAME_BEFORE + _FRAME_AFTER)
            return self._shard(number).stat().st_size == framed
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _open(self, shards: list[dict[str, Any]]) -> None:
        """Notes where each picture is, and says what is wrong with the files."""
        lengths = [np.array(shard['lengths'], np.int64) for shard in shards]
        self._files = [self._shard(number).open('rb', buffering=0) for number in range(len(shards))]
        self._shards = np.repeat(np.arange(len(shards)), [len(each) for each in lengths])
        self._lengths = np.concatenate(lengths)
        self._ends = np.concatenate([np.cumsum(each + _FRAME_BEFORE + _FRAME_AFTER) - _FRAME_AFTER for each in lengths])
        self._shapes = np.concatenate([np.array(shard['shapes'], np.int64).reshape(-1, 2) for shard in shards])
        positions = [np.array(shard['positions'], np.int64) + number * SHARD for number, shard in enumerate(shards)]
        self.positions = np.concatenate(positions)
        bad = [
            f'{shown(self._listing.files[number * SHARD + position].name)}: {reason}'
            for number, shard in enumerate(shards)
            for position, reason in shard['bad']
        ]
        if bad:
            write_whole(self.path / BAD_FILES, ('\n'.join(bad) + '\n').encode())
            say(
                f'{len(bad):,} files cannot be used{f" (all in {self.path / BAD_FILES})" if len(bad) > _NAMED else ""}:'
            )
            for line in bad[:_NAMED]:
                say(f'  {line}')
        if not self.count:
            raise UserError(f'{self._listing.root} has no picture that can be used: {bad[0]}')
        if enlarged := sum(shard['enlarged'] for shard in shards):
            say(f'{enlarged:,} pictures are smaller than {self._preparation.load_size} pixels: they were enlarged')

    def _make_room(self) -> None:
        """Removes entries, the longest unused first, until the new one fits; and asks the disk.

        Raises:
            UserError: it will not fit.
        """
        expected = self._preparation.expected_bytes(len(self._listing.files))
        others = sorted((each for each in self.path.parent.iterdir() if each != self.path), key=os.path.getmtime)
        sizes = {entry: _size(entry) for entry in others if (entry / '.lock').exists()}
        for entry in list(sizes):
            if sum(sizes.values()) + expected > self._limit and _remove(entry):
                del sizes[entry]
        free = shutil.disk_usage(self.path).free
        if free < expected - _size(self.path):
            raise UserError(self._no_room(f'the disk has {_gigabytes(free)} free'))

    def _no_room(self, why: str) -> str:
        expected = self._preparation.expected_bytes(len(self._listing.files))
        return (
            f'the prepared pictures take about {_gigabytes(expected)} in {self.path.parent}, {why}: set '
            'STACKGAN_TF_CACHE to another disk, or ImageFolder.cache_gigabytes to what they may take (if that is less '
            'than they need uncompressed, they are kept as JPEG)'
        )


def _key(listing: Listing, preparation: Preparation) -> str:
    """A hash of all that prepared pictures depend on: each file's path, size, time and box, and how it is prepared."""
    hashed = hashlib.sha256(repr((PREPROCESSING_VERSION, preparation, SHARD, str(listing.root.absolute()))).encode())
    for file in listing.files:
        box = listing.annotation(file.name).box if preparation.crop_to_boxes else None
        hashed.update(repr((os.fsencode(file.name), file.size, file.modified, box)).encode())
    return hashed.hexdigest()[:16]


def _lock(entry: Path) -> IO[str]:
    """Marks an entry as in use, as long as the result is open."""
    lock = (entry / '.lock').open('w')
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def _remove(entry: Path) -> bool:
    """Removes an entry that no process uses."""
    with (entry / '.lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        shutil.rmtree(entry)
    return True


def _size(entry: Path) -> int:
    return sum(file.stat().st_size for file in entry.iterdir())


def _in_order(
    pool: concurrent.futures.Executor, function: Callable[[PictureFile], Any], files: Sequence[PictureFile]
) -> Iterator[Any]:
    """What the function makes of each file, a few at work at a time, so that memory stays small."""
    waiting: collections.deque[concurrent.futures.Future[Any]] = collections.deque()
    for file in files:
        waiting.append(pool.submit(function, file))
        if len(waiting) > 4 * (os.cpu_count() or 1):
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _gigabytes(count: int) -> str:
    return f'{count / 1e9:.1f} GB'
