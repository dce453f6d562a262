"""Random access to prepared images. A cache entry belongs to one state of a folder, whose hash is in its name."""

import contextlib
import hashlib
import os
from typing import Any

import numpy as np

from stackgan_tf.data.image_folder.first_pass import (
    FRAME_AFTER,
    FRAME_BEFORE,
    SHARD,
    Preparation,
    first_pass,
    shard_contents,
    shard_count,
    shard_path,
)
from stackgan_tf.data.image_folder.image_file import PREPROCESSING_VERSION
from stackgan_tf.data.image_folder.listing import Listing
from stackgan_tf.data.random_crop import corners
from stackgan_tf.system.atomic_files import write_whole
from stackgan_tf.system.cache_entry import CacheEntry
from stackgan_tf.system.console import printable, say
from stackgan_tf.system.errors import UserError

BAD_FILES = 'bad_files.txt'
_NAMED = 10  # bad files that are printed; `BAD_FILES` lists all


class ImageCache:
    """The prepared images of a listing, which are made on first use.

    Args:
        listing: what to prepare.
        preparation: how.
        limit: bytes that all entries of the cache together may take.

    Attributes:
        lossless: whether images are kept uncompressed or as JPEG.
        positions: int64 `[count]`, of each image in the listing, where unusable files are counted too.

    Raises:
        UserError: no image is usable, or there is no room.
    """

    def __init__(self, listing: Listing, preparation: Preparation, limit: int) -> None:
        self._entry = CacheEntry('image_folders', listing.root.absolute().name, _key(listing, preparation))
        shards = _shards(self._entry, listing)
        if shards is None:
            with self._entry.making():
                # Another process may have made it meanwhile.
                shards = _shards(self._entry, listing) or first_pass(listing, preparation, self._entry, limit)
        self._open(shards)
        self._report_bad_files(shards, listing, preparation)

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self.positions)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """The encoded images at `indices`: objects `[N]`, bytes."""
        lengths, ends = self._lengths[indices], self._ends[indices]
        return np.array([self._bytes(*where) for where in zip(indices, ends - lengths, lengths, strict=True)], object)

    def crops(self, indices: np.ndarray, draws: np.ndarray, size: int) -> np.ndarray:
        """Crops of lossless images; see `ExampleSource.crops`. Reads no more of an image than the rows it needs."""
        crops = np.empty((len(indices), size, size, 3), np.uint8)
        shapes = self._shapes[indices]
        where = zip(crops, indices, shapes, corners(shapes, size, draws), strict=True)
        for crop, index, (height, width), (top, left) in where:
            # The pixels are the end of the record.
            rows = self._bytes(index, self._ends[index] - 3 * width * (height - top), 3 * width * size)
            crop[:] = np.frombuffer(rows, np.uint8).reshape(size, width, 3)[:, left : left + size]
        return crops

    def _bytes(self, index: int, first: int, length: int) -> bytes:
        return os.pread(self._files[self._shard_of[index]].fileno(), int(length), int(first))

    def _open(self, shards: list[dict[str, Any]]) -> None:
        """Opens the shards and locates each image."""
        self.lossless = bool(shards[0]['lossless'])
        lengths = [np.array(shard['lengths'], np.int64) for shard in shards]
        positions = [np.array(shard['positions'], np.int64) + number * SHARD for number, shard in enumerate(shards)]
        self.positions = np.concatenate(positions)
        self._files = [shard_path(self._entry.path, number).open('rb', buffering=0) for number in range(len(shards))]
        self._shard_of = np.repeat(np.arange(len(shards)), [len(each) for each in lengths])
        self._lengths = np.concatenate(lengths)
        self._ends = np.concatenate([np.cumsum(each + FRAME_BEFORE + FRAME_AFTER) - FRAME_AFTER for each in lengths])
        self._shapes = np.concatenate([np.array(shard['shapes'], np.int64).reshape(-1, 2) for shard in shards])

    def _report_bad_files(self, shards: list[dict[str, Any]], listing: Listing, preparation: Preparation) -> None:
        """Prints what is wrong with the files.

        Raises:
            UserError: no image can be used.
        """
        bad = [
            f'{printable(listing.files[number * SHARD + position].name)}: {reason}'
            for number, shard in enumerate(shards)
            for position, reason in shard['bad']
        ]
        if bad:
            all_bad = self._entry.path / BAD_FILES
            with contextlib.suppress(OSError):  # a read-only cache has the file
                write_whole(all_bad, ('\n'.join(bad) + '\n').encode())
            say(f'{len(bad):,} files cannot be used{f" (all in {all_bad})" if len(bad) > _NAMED else ""}:')
            for line in bad[:_NAMED]:
                say(f'  {line}')
        if not self.count:
            raise UserError(f'{listing.root} has no image that can be used: {bad[0]}')
        if enlarged := sum(shard['enlarged'] for shard in shards):
            say(f'{enlarged:,} images are smaller than {preparation.load_size} pixels: they were enlarged')


def _shards(entry: CacheEntry, listing: Listing) -> list[dict[str, Any]] | None:
    """The description of each shard; None unless all exist and are in one format."""
    shards = [shard_contents(entry.path, number) for number in range(shard_count(listing))]
    whole = [shard for shard in shards if shard is not None]
    return whole if len(whole) == len(shards) and len({shard['lossless'] for shard in whole}) == 1 else None


def _key(listing: Listing, preparation: Preparation) -> str:
    """A hash of all that prepared images depend on: each file's path, size, time and box, and the preparation."""
    hashed = hashlib.sha256(repr((PREPROCESSING_VERSION, preparation, SHARD, str(listing.root.absolute()))).encode())
    for file in listing.files:
        box = preparation.box(listing, file)
        hashed.update(repr((os.fsencode(file.name), file.size, file.modified, box)).encode())
    return hashed.hexdigest()[:16]
