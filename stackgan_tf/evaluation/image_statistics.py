"""All that one pass over pictures keeps of them: what scores are made of, in memory that does not grow with them."""

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

KEPT = 10_000  # features, chosen at random where there are more pictures
PAIRS = 500  # whose structural similarity is measured
SMALL = 64  # pixels, of the copies in the paper's FID*


@dataclasses.dataclass(frozen=True)
class ImageStatistics:
    """What is kept of N pictures.

    Attributes:
        gaussian: mean and covariance of all features.
        small: the same of copies of 64 pixels; None if that was not asked for.
        kept: features of some, float32 `[K, D]`, in random order.
        inception: the Inception score; None if the network knows no classes.
        similarity: structural similarity of random pairs.
        content: a hash of the pictures, where they are a reference.
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
    pictures: ImageSource, network: FeatureExtractor, seed: int = 0, small: bool = False, desc: str = ''
) -> ImageStatistics:
    """Measures pictures in one pass.

    Args:
        pictures: at least two.
        network: what sees their features.
        seed: of what is chosen at random: features that are kept, splits, pairs.
        small: whether copies of 64 pixels are measured too.
        desc: of the progress bar.

    Raises:
        UserError: there are fewer.
    """
    if pictures.count < 2:
        raise UserError(f'{pictures.title}: scores need at least two pictures, better 10,000')
    rng = np.random.default_rng(seed)
    slots = _slots(rng, pictures.count, KEPT)
    pair_slots = _slots(rng, pictures.count, 2 * PAIRS)
    splits = SplitScores(pictures.count, seed=seed)
    whole, reduced = _Features(slots), _Features(slots[:0])
    paired = np.empty((pair_slots.max() + 1, pictures.size, pictures.size, 3), np.uint8)
    first, probabilities = 0, None
    with tqdm(total=pictures.count, unit=' pictures', desc=desc, mininterval=1, leave=False) as bar:
        for images in pictures.batches():
            rows = slice(first, first + len(images))
            first = rows.stop
            features, probabilities = network(images)
            whole.add(features)
            if probabilities is not None:
                splits.add(probabilities)
            if small:
                reduced.add(network(small_copies(images, SMALL)).features)
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
    """Where each of `count` pictures is kept, int `[count]`: an even number of places in random order, or -1."""
    order = rng.permutation(count)[: min(most, count - count % 2)]
    slots = np.full(count, -1)
    slots[order] = np.arange(len(order))
    return slots


class _Features:
    """Sums up features and keeps some.

    Args:
        slots: where to keep those of each picture, -1: nowhere; empty: none is kept.
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
