"""A cache of the statistics of reference images, keyed by the content of the images, not by their names."""

import dataclasses
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.image_sources import ImageSource
from stackgan_tf.evaluation.image_statistics import KEPT, PAIRS, SMALL, ImageStatistics, image_statistics
from stackgan_tf.formats.archive_errors import ARCHIVE_ERRORS
from stackgan_tf.metrics.frechet_distance import Gaussian
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.atomic_files import write_whole
from stackgan_tf.system.cache_entry import CacheEntry, NoRoomError
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

_FORMAT = 1  # increment it when anything is computed differently
_LIMIT = 20_000_000_000  # bytes, the total of all statistics


def content_hash(source: ImageSource) -> str:
    """A hash of every pixel, in order."""
    hashed = hashlib.sha256()
    with tqdm(total=source.count, unit=' images', desc='Reading the reference', mininterval=1, leave=False) as bar:
        for images in source.batches():
            hashed.update(images.tobytes())
            bar.update(len(images))
    return hashed.hexdigest()[:16]


def reference_statistics(source: ImageSource, extractor: FeatureExtractor, seed: int, small: bool) -> ImageStatistics:
    """The statistics of reference images, from the cache if it has them.

    Args:
        source: the reference.
        extractor: the feature extractor.
        seed: see `image_statistics`.
        small: see `image_statistics`.
    """
    content = content_hash(source)
    settings = (_FORMAT, KEPT, PAIRS, SMALL, source.size, source.count, content, extractor.title, seed, small)
    key = hashlib.sha256(repr(settings).encode()).hexdigest()[:16]
    entry = CacheEntry('reference_statistics', source.title, key)
    path = entry.path / 'statistics.npz'
    if (cached := _read(path)) is not None:
        return cached
    with entry.making():
        # Another process may have written it meanwhile.
        if (cached := _read(path)) is not None:
            return cached
        statistics = image_statistics(source, extractor, seed, small, 'Measuring the reference')
        statistics = dataclasses.replace(statistics, content=content)
        file = _file(statistics)
        try:
            entry.make_room(len(file), _LIMIT)
            write_whole(path, file)
        except NoRoomError as error:
            say(f'The statistics of the reference are not kept: {error}')
        return statistics


def _file(statistics: ImageStatistics) -> bytes:
    """The statistics as a NumPy archive."""
    file = io.BytesIO()
    arrays: dict[str, Any] = {'kept': statistics.kept, 'content': statistics.content}
    for name in ('gaussian', 'small'):
        if (gaussian := getattr(statistics, name)) is not None:
            arrays |= {f'{name}_{part}': value for part, value in dataclasses.asdict(gaussian).items()}
    for name in ('inception', 'similarity'):
        if (score := getattr(statistics, name)) is not None:
            arrays |= {f'{name}_{part}': value for part, value in dataclasses.asdict(score).items()}
    np.savez(file, **arrays)
    return file.getvalue()


def _read(path: Path) -> ImageStatistics | None:
    """The statistics in a file; None if it does not exist or is broken."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return ImageStatistics(
                _gaussian(arrays, 'gaussian'),
                _gaussian(arrays, 'small') if 'small_mean' in arrays else None,
                arrays['kept'],
                _score(arrays, 'inception') if 'inception_value' in arrays else None,
                _score(arrays, 'similarity'),
                arrays['content'].item(),
            )
    except UserError:
        raise
    except ARCHIVE_ERRORS:
        return None


def _gaussian(arrays: Any, name: str) -> Gaussian:
    return Gaussian(arrays[f'{name}_mean'], arrays[f'{name}_covariance'], int(arrays[f'{name}_count']))


def _score(arrays: Any, name: str) -> Score:
    return Score(**{field.name: arrays[f'{name}_{field.name}'].item() for field in dataclasses.fields(Score)})
