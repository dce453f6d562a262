"""Scores of generated pictures against real ones, each with all that it depends on."""

import dataclasses

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.image_sources import ImageSource
from stackgan_tf.evaluation.image_statistics import SMALL, ImageStatistics
from stackgan_tf.metrics.frechet_distance import frechet_distance
from stackgan_tf.metrics.kid import SUBSETS, kid
from stackgan_tf.metrics.ms_ssim import weights_for
from stackgan_tf.metrics.precision_recall import DENSITY_NEIGHBOURS, PRECISION_NEIGHBOURS, precision_recall
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.errors import UserError

ENOUGH = 2048  # pictures: with fewer, the covariance of an Inception's features is singular


def check_comparable(reference: ImageSource, generated: ImageSource) -> list[str]:
    """What is wrong with comparing two sets of pictures, for people.

    Raises:
        UserError: that makes no sense.
    """
    if reference.size != generated.size:
        raise UserError(
            f'the generated pictures have {generated.size} pixels, the reference ({reference.title}) {reference.size}: '
            'what the resize does to either would be measured; name a reference of the same size'
        )
    warnings = [*reference.notes, *generated.notes]
    for pictures in (generated, reference):
        if pictures.count < ENOUGH:
            warnings.append(
                f'{pictures.count:,} pictures ({pictures.title}) are fewer than {ENOUGH:,}: with few, the Frechet '
                'distance is too high and the Inception score too low; compare at equal numbers only, or take the '
                'kernel distance'
            )
    return warnings


def distribution_scores(
    reference: ImageSource,
    real: ImageStatistics,
    generated: ImageSource,
    made: ImageStatistics,
    network: FeatureExtractor,
    seed: int,
    subsets: int = SUBSETS,
) -> dict[str, Score]:
    """All scores of two sets of pictures.

    Args:
        reference: the real ones.
        real: their statistics.
        generated: the others.
        made: theirs.
        network: by whose features the statistics were made.
        seed: of what is chosen at random.
        subsets: of which the kernel distance is the mean.

    Returns:
        `fid`, `fid_64` where copies were measured, `kid`, `precision`, `recall`, `density`, `coverage`, `ms_ssim` and,
        where the network knows classes, `inception_score`; the last two also of the reference, with `_real`.
    """
    ours, theirs = generated.described('generated'), f'{reference.described("real")} of content {real.content}'
    both, by = f'{ours}; against {theirs}', f'features of {network.title}'
    exact = 'mean and covariance (over N - 1) in float64'
    fid = frechet_distance(real.gaussian, made.gaussian)
    scores = {'fid': Score(fid, None, made.count, protocol=f'{both}; {by}; {exact}')}
    if real.small is not None and made.small is not None:
        fid_64 = frechet_distance(real.small, made.small)
        scores['fid_64'] = Score(
            fid_64, None, made.count, protocol=f'{both}; copies of {SMALL} pixels of either; {by}; {exact}'
        )
    distance = kid(real.kept, made.kept, subsets, seed=seed)
    drawn = f'subsets of {distance.count:,} out of {len(made.kept):,} and {len(real.kept):,} (seed {seed})'
    scores['kid'] = dataclasses.replace(distance, protocol=f'{both}; {by}; cubic kernel, {drawn}')
    scores |= _manifolds(real, made, f'{both}; {by}')
    for name, pictures, statistics, what in (('', generated, made, ours), ('_real', reference, real, theirs)):
        if statistics.inception is not None:
            by = f'probabilities of {network.title}; splits at random (seed {seed})'
            scores[f'inception_score{name}'] = dataclasses.replace(statistics.inception, protocol=f'{what}; {by}')
        pairs = f'random pairs (seed {seed}), {len(weights_for(pictures.size))} scales'
        scores[f'ms_ssim{name}'] = dataclasses.replace(statistics.similarity, protocol=f'{what}; {pairs}')
    return scores


def _manifolds(real: ImageStatistics, made: ImageStatistics, both: str) -> dict[str, Score]:
    """Scores of nearest neighbours; none of too few pictures."""
    count = min(len(real.kept), len(made.kept))
    if count <= max(PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS):
        return {}
    neighbours = dict.fromkeys(('precision', 'recall'), PRECISION_NEIGHBOURS)
    neighbours |= dict.fromkeys(('density', 'coverage'), DENSITY_NEIGHBOURS)
    return {
        name: dataclasses.replace(score, protocol=f'{both}; {count:,} of either, balls to neighbour {neighbours[name]}')
        for name, score in precision_recall(real.kept, made.kept).items()
    }
