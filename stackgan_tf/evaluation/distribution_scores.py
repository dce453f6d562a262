"""Scores of generated images against real ones, each with its protocol."""

import dataclasses

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.image_sources import ImageSource
from stackgan_tf.evaluation.image_statistics import SMALL, ImageStatistics
from stackgan_tf.metrics.frechet_distance import frechet_distance
from stackgan_tf.metrics.kid import SUBSETS, kid
from stackgan_tf.metrics.ms_ssim import weights_for
from stackgan_tf.metrics.precision_recall import DENSITY_NEIGHBORS, PRECISION_NEIGHBORS, precision_recall
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.errors import UserError

ENOUGH = 2048  # images; with fewer, the covariance of Inception features is singular


def check_comparable(reference: ImageSource, generated: ImageSource) -> list[str]:
    """Checks that two sets of images can be compared.

    Returns:
        Warnings for people.

    Raises:
        UserError: the sizes differ.
    """
    if reference.size != generated.size:
        raise UserError(
            f'the generated images have {generated.size} pixels, the reference ({reference.title}) {reference.size}: '
            'their resizing would be measured too; name a reference of the same size'
        )
    warnings = [*reference.notes, *generated.notes]
    for source in (generated, reference):
        if source.count < ENOUGH:
            warnings.append(
                f'{source.count:,} images ({source.title}) are fewer than {ENOUGH:,}: with few, the Frechet '
                'distance is too high and the Inception score too low; compare at equal numbers only, or use KID'
            )
    return warnings


def distribution_scores(
    reference: ImageSource,
    real: ImageStatistics,
    generated: ImageSource,
    fake: ImageStatistics,
    extractor: FeatureExtractor,
    seed: int,
    subsets: int = SUBSETS,
) -> dict[str, Score]:
    """All scores of two sets of images.

    Args:
        reference: the real images.
        real: their statistics.
        generated: the generated images.
        fake: their statistics.
        extractor: the feature extractor of both statistics.
        seed: the seed of every random choice.
        subsets: the number of subsets of which KID is the mean.

    Returns:
        `fid`, `fid_64` where copies were measured, `kid`, `precision`, `recall`, `density`, `coverage`, `ms_ssim` and,
        where the extractor gives probabilities, `inception_score`; the last two also of the reference, with `_real`.
    """
    ours, theirs = generated.described('generated'), f'{reference.described("real")} of content {real.content}'
    both, by = f'{ours}; against {theirs}', f'features of {extractor.title}'
    exact = 'mean and covariance (over N - 1) in float64'
    fid = frechet_distance(real.gaussian, fake.gaussian)
    scores = {'fid': Score(fid, None, fake.count, protocol=f'{both}; {by}; {exact}')}
    if real.small is not None and fake.small is not None:
        fid_64 = frechet_distance(real.small, fake.small)
        scores['fid_64'] = Score(
            fid_64, None, fake.count, protocol=f'{both}; copies of {SMALL} pixels of either; {by}; {exact}'
        )
    distance = kid(real.kept, fake.kept, subsets, seed=seed)
    sampling = f'subsets of {distance.count:,} out of {len(fake.kept):,} and {len(real.kept):,} (seed {seed})'
    scores['kid'] = dataclasses.replace(distance, protocol=f'{both}; {by}; cubic kernel, {sampling}')
    scores |= _precision_recall(real, fake, f'{both}; {by}')
    for name, source, statistics, what in (('', generated, fake, ours), ('_real', reference, real, theirs)):
        if statistics.inception is not None:
            by = f'probabilities of {extractor.title}; splits at random (seed {seed})'
            scores[f'inception_score{name}'] = dataclasses.replace(statistics.inception, protocol=f'{what}; {by}')
        pairs = f'random pairs (seed {seed}), {len(weights_for(source.size))} scales'
        scores[f'ms_ssim{name}'] = dataclasses.replace(statistics.similarity, protocol=f'{what}; {pairs}')
    return scores


def _precision_recall(real: ImageStatistics, fake: ImageStatistics, both: str) -> dict[str, Score]:
    """The scores from nearest neighbors; empty for too few images."""
    count = min(len(real.kept), len(fake.kept))
    if count <= max(PRECISION_NEIGHBORS, DENSITY_NEIGHBORS):
        return {}
    neighbors = dict.fromkeys(('precision', 'recall'), PRECISION_NEIGHBORS)
    neighbors |= dict.fromkeys(('density', 'coverage'), DENSITY_NEIGHBORS)
    return {
        name: dataclasses.replace(score, protocol=f'{both}; {count:,} of either, balls to neighbor {neighbors[name]}')
        for name, score in precision_recall(real.kept, fake.kept).items()
    }
