"""A cache of caption embeddings under the encoder's fingerprint."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from stackgan_tf.formats.archive_errors import ARCHIVE_ERRORS
from stackgan_tf.system.atomic_files import write_whole
from stackgan_tf.system.cache_entry import CacheEntry, NoRoomError, gigabytes
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.text_encoder import TextEncoder

_SHARD = 16384  # captions in a file: the most that an interruption loses
_BATCH = 128
_LIMIT = 20_000_000_000  # bytes of embeddings of all data sets together


class CachedEmbeddings:
    """The embeddings of a list of captions; those that are missing in the cache are computed.

    Args:
        encoder: the text encoder.
        captions: bytes, UTF-8: objects `[R]`.
        title: of the data set, for people.

    Raises:
        UserError: there is no room for them, or the encoder fails, or gives values that are not finite.
    """

    def __init__(self, encoder: TextEncoder, captions: np.ndarray, title: str) -> None:
        self._entry = CacheEntry('embeddings', title, _key(encoder, captions))  # keeps it from being removed
        shards = [captions[first : first + _SHARD] for first in range(0, len(captions), _SHARD)]
        paths = [self._entry.path / f'{number:05}.npy' for number in range(len(shards))]
        if not _all_there(paths, shards, encoder.dimension):
            with self._entry.making():
                self._make(encoder, paths, shards)
        self._shards = [np.load(path, mmap_mode='r') for path in paths]

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """The embeddings at some positions of the list: int64 `[N]` to float32 `[N, T]`."""
        return np.stack([self._shards[position // _SHARD][position % _SHARD] for position in positions])

    def _make(self, encoder: TextEncoder, paths: list[Path], shards: list[np.ndarray]) -> None:
        count = sum(len(shard) for shard in shards)
        expected = 4 * encoder.dimension * count
        try:
            self._entry.make_room(expected, _LIMIT)
        except NoRoomError as error:
            raise UserError(
                f'{count:,} embeddings take {gigabytes(expected)} in {self._entry.path.parent}, but {error}'
            ) from error
        embed = tf.function(encoder.__call__, input_signature=[tf.TensorSpec([None], tf.string)])
        with tqdm(total=count, unit=' captions', desc='Embedding', mininterval=1) as bar:
            for path, shard in zip(paths, shards, strict=True):
                # Another process, or an earlier one that was interrupted, may have made it.
                if _is_there(path, (len(shard), encoder.dimension)):
                    bar.update(len(shard))
                else:
                    _write(path, embed, shard, encoder.dimension, bar)


def _write(path: Path, embed: Callable[[tf.Tensor], tf.Tensor], shard: np.ndarray, dimension: int, bar: tqdm) -> None:
    """Embeds one file's captions."""
    parts = []
    for first in range(0, len(shard), _BATCH):
        captions = shard[first : first + _BATCH]
        try:
            vectors = embed(tf.constant(captions)).numpy()
        except tf.errors.OpError as error:
            first_caption = f'{captions[0][:60]!r} ...'
            raise UserError(
                f'the text encoder fails on the captions {first_caption} ({type(error).__name__})'
            ) from error
        if vectors.shape != (len(captions), dimension):
            raise UserError(f'the text encoder gives {list(vectors.shape)} numbers for {len(captions)} captions')
        if not np.isfinite(vectors).all():
            row = int(np.argmin(np.isfinite(vectors).all(axis=1)))
            raise UserError(f'the text encoder gives no numbers for the caption {captions[row][:60]!r}')
        parts.append(vectors)
        bar.update(len(captions))
    file = io.BytesIO()
    np.save(file, np.concatenate(parts))
    write_whole(path, file.getvalue())


def _all_there(paths: list[Path], shards: list[np.ndarray], dimension: int) -> bool:
    return all(_is_there(path, (len(shard), dimension)) for path, shard in zip(paths, shards, strict=True))


def _is_there(path: Path, shape: tuple[int, int]) -> bool:
    try:
        array = np.load(path, mmap_mode='r')
        return array.shape == shape and array.dtype == np.float32
    except (*ARCHIVE_ERRORS, AttributeError):
        return False


def _key(encoder: TextEncoder, captions: np.ndarray) -> str:
    """A hash of the encoder and of every caption."""
    hashed = hashlib.sha256(f'{encoder.fingerprint} {encoder.dimension}'.encode())
    for caption in captions:
        hashed.update(len(caption).to_bytes(8, 'big') + caption)
    return hashed.hexdigest()[:16]
