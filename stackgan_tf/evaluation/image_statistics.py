"""Statistics of a set of images from one pass, in constant memory: everything that scores are computed from."""

import dataclasses

import numpy as np
from tqdm import tqdm

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.image_sources import ImageSource
from stackgan_tf.evaluation.resizing import small_copies
from stackgan_tf.metrics.frechet_distance import Gaussian, Moments
from stackgan_tf.metrics.inception_score import SplitScores
from stackgan_tf.metrics.ms_ssim import ms_ssim
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.errors import UserError

KEPT = 10_000  # features that are kept, sampled at random from larger sets
PAIRS = 500  # image pairs of MS-SSIM
SMALL = 64  # pixels of the copies in the paper's FID*


@dataclasses.dataclass(frozen=True)
class ImageStatistics:
    """Statistics of N images.

    Attributes:
        gaussian: mean and covariance of all features.
        small: the same for copies of 64 pixels; None if they were not measured.
        kept: the features of K images, float32 `[K, D]`, in random order.
        inception: the Inception score; None if the extractor has no classes.
        similarity: MS-SSIM of random pairs.
        content: for a reference, a hash of the images.
    """

    gaussian: Gaussian
    small: Gaussian | None
    kept: np.ndarray
    inception: Score | None
    similarity: Score
    content: str = ''

    @property
    def count(self) -> int:
        """N."""
        return self.gaussian.count


def image_statistics(
    source: ImageSource, extractor: FeatureExtractor, seed: int = 0, small: bool = False, desc: str = ''
) -> ImageStatistics:
    """Measures images in one pass.

    Args:
        source: at least two images.
        extractor: the feature extractor.
        seed: the seed of every random choice: kept features, splits, pairs.
        small: whether copies of 64 pixels are measured too.
        desc: the title of the progress bar.

    Raises:
        UserError: there are fewer than two images.
    """
    if source.count < 2:
        raise UserError(f'{source.title}: scores need at least two images, better 10,000')
    rng = np.random.default_rng(seed)
    slots = _slots(rng, source.count, KEPT)
    pair_slots = _slots(rng, source.count, 2 * PAIRS)
    splits = SplitScores(source.count, seed=seed)
    whole, reduced = _Features(slots), _Features(slots[:0])
    paired = np.empty((pair_slots.max() + 1, source.size, source.size, 3), np.uint8)
    first, probabilities = 0, None
    with tqdm(total=source.count, unit=' images', desc=desc, mininterval=1, leave=False) as bar:
        for images in source.batches():
            rows = slice(first, first + len(images))
            first = rows.stop
            features, probabilities = extractor(images)
            whole.add(features)
            if probabilities is not None:
                splits.add(probabilities)
            if small:
                reduced.add(extractor(small_copies(images, SMALL)).features)
            chosen = pair_slots[rows] >= 0
            paired[pair_slots[rows][chosen]] = images[chosen]
            bar.update(len(images))
    return ImageStatistics(
        whole.gaussian(),
        reduced.gaussian() if small else None,
        whole.kept,
        None if probabilities is None else splits.score(),
        ms_ssim(paired),
    )


def _slots(rng: np.random.Generator, count: int, most: int) -> np.ndarray:
    """The row where each of `count` images is kept, int `[count]`: -1 for none; the number of rows is even."""
    order = rng.permutation(count)[: min(most, count - count % 2)]
    slots = np.full(count, -1)
    slots[order] = np.arange(len(order))
    return slots


class _Features:
    """Accumulates the moments of features and keeps some features.

    Args:
        slots: the row where each image's features are kept, -1: nowhere; empty: none is kept.
    """

    def __init__(self, slots: np.ndarray) -> None:
        self._slots = slots
        self._moments: Moments | None = None
        self.kept = np.empty((0, 0), np.float32)

    def add(self, features: np.ndarray) -> None:
        if self._moments is None:
            self._moments = Moments(features.shape[1])
            self.kept = np.empty((self._slots.max(initial=-1) + 1, features.shape[1]), np.float32)
        slots = self._slots[self._moments.count : self._moments.count + len(features)]
        chosen = slots >= 0
        if len(slots):
            self.kept[slots[chosen]] = features[chosen]
        self._moments.add(features)

    def gaussian(self) -> Gaussian:
        assert self._moments is not None
        return self._moments.gaussian()
