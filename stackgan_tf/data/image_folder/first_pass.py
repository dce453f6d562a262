"""The first pass over a folder of images: reads each once, and writes TFRecord files that training reads from.

A cache entry grows by whole shards; an interrupted first pass resumes with the next shard.
"""

import dataclasses
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
from tqdm import tqdm

from stackgan_tf.data.image_decoding import BadImageError
from stackgan_tf.data.image_folder.contents import ImageFile
from stackgan_tf.data.image_folder.image_file import encode_compact, encode_lossless, read_image
from stackgan_tf.data.image_folder.listing import Listing
from stackgan_tf.data.ordered_map import ordered_map
from stackgan_tf.system.atomic_files import scratch_name, write_json
from stackgan_tf.system.cache_entry import CacheEntry, NoRoomError, gigabytes, size_of
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

SHARD = 8192  # files
FRAME_BEFORE, FRAME_AFTER = 12, 4  # TFRecord's frame of a record, bytes


@dataclasses.dataclass(frozen=True)
class Preparation:
    """How images are prepared.

    Attributes:
        load_size: what their shorter side becomes, pixels.
        crop_to_boxes: whether they are cropped around the boxes that are known.
    """

    load_size: int
    crop_to_boxes: bool

    def box(self, listing: Listing, file: ImageFile) -> tuple[float, ...] | None:
        """The box that an image is cropped around; None for the whole image."""
        return listing.annotation(file.name).box if self.crop_to_boxes else None

    def expected_bytes(self, count: int, lossless: bool) -> int:
        """About what `count` images take: sides of 4 to 3 are assumed, and JPEG at an eighth of the pixels' size."""
        return count * self.load_size**2 * 4 // (1 if lossless else 8)


class _Prepared(NamedTuple):
    encoded: bytes
    shape: tuple[int, int]  # height, width
    enlarged: bool


def shard_count(listing: Listing) -> int:
    """How many shards a listing is divided into."""
    return -(-len(listing.files) // SHARD)


def shard_path(entry: Path, number: int) -> Path:
    """The file of a shard's images; the same path with the suffix `.json` describes them."""
    return entry / f'images-{number:05}.tfrecord'


def shard_contents(entry: Path, number: int) -> dict[str, Any] | None:
    """The description of a shard; None if it is missing, cut short, or made while files could not be read."""
    path = shard_path(entry, number)
    try:
        contents = json.loads(path.with_suffix('.json').read_text(encoding='utf-8'))
        framed = sum(length + FRAME_BEFORE + FRAME_AFTER for length in contents['lengths'])
        return contents if path.stat().st_size == framed and not contents['again'] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def first_pass(listing: Listing, preparation: Preparation, entry: CacheEntry, limit: int) -> list[dict[str, Any]]:
    """Makes the shards that are missing: uncompressed if they fit, else as JPEG.

    Args:
        listing: the files.
        preparation: how they are prepared.
        entry: where they are kept.
        limit: bytes that all entries of the cache together may take.

    Returns:
        The description of each shard.

    Raises:
        UserError: there is no room.
    """
    say(f'First pass over {len(listing.files):,} images (once; kept in {entry.path}) ...')
    try:
        return _make(listing, preparation, entry, limit, lossless=True)
    except NoRoomError:
        try:
            return _make(listing, preparation, entry, limit, lossless=False)
        except NoRoomError as error:
            expected = preparation.expected_bytes(len(listing.files), lossless=False)
            raise UserError(
                f'the prepared images take about {gigabytes(expected)} in {entry.path.parent}, but {error}: raise '
                'ImageFolder.cache_gigabytes, or set STACKGAN_TF_CACHE to another disk'
            ) from error


def _make(
    listing: Listing, preparation: Preparation, entry: CacheEntry, limit: int, lossless: bool
) -> list[dict[str, Any]]:
    files = listing.files
    allowed = entry.make_room(preparation.expected_bytes(len(files), lossless), limit)

    def prepare(file: ImageFile) -> _Prepared | BadImageError:
        try:
            box = preparation.box(listing, file)
            image, enlarged = read_image(listing.where(file), preparation.load_size, box)
        except BadImageError as error:
            return error
        encoded = encode_lossless(image) if lossless else encode_compact(image)
        return _Prepared(encoded, (image.height, image.width), enlarged)

    shards = []
    with (
        tqdm(total=len(files), unit=' images', disable=None, leave=False) as progress,
        warnings.catch_warnings(),
    ):
        # Pillow still decodes the images that it warns about.
        warnings.simplefilter('ignore')
        for number in range(shard_count(listing)):
            contents = shard_contents(entry.path, number)
            if contents is None or contents['lossless'] != lossless:
                progress.update(number * SHARD - progress.n)
                shard = files[number * SHARD : (number + 1) * SHARD]
                outcomes = ordered_map(prepare, shard)
                contents = _write_shard(shard_path(entry.path, number), outcomes, lossless, progress)
            shards.append(contents)
            if size_of(entry.path) > allowed:
                for path in entry.path.glob('images-*'):
                    path.unlink()
                raise NoRoomError(f'the cache may take {gigabytes(limit)}')
    return shards


def _write_shard(
    path: Path, outcomes: Iterator[_Prepared | BadImageError], lossless: bool, progress: tqdm
) -> dict[str, Any]:
    contents: dict[str, Any] = {'lossless': lossless, 'again': False, 'enlarged': 0, 'bad': []}
    contents |= {'positions': [], 'lengths': [], 'shapes': []}
    incomplete = scratch_name(path)
    try:
        with tf.io.TFRecordWriter(str(incomplete)) as writer:
            for position, outcome in enumerate(outcomes):
                progress.update()
                if isinstance(outcome, BadImageError):
                    contents['bad'].append((position, str(outcome)))
                    contents['again'] |= outcome.may_pass
                    continue
                writer.write(outcome.encoded)
                contents['positions'].append(position)
                contents['lengths'].append(len(outcome.encoded))
                contents['shapes'].append(outcome.shape)
                contents['enlarged'] += outcome.enlarged
        incomplete.replace(path)
    finally:
        incomplete.unlink(missing_ok=True)
    write_json(path.with_suffix('.json'), contents)
    return contents
