"""Statistics from one pass against those of all images at once; they do not depend on batches."""

import numpy as np
import pytest
from drawn_images import Given, noise
from feature_extractors import MeanColours

from stackgan_tf.evaluation import image_statistics as module
from stackgan_tf.evaluation.distribution_scores import distribution_scores
from stackgan_tf.evaluation.image_statistics import image_statistics
from stackgan_tf.evaluation.resizing import small_copies
from stackgan_tf.metrics.frechet_distance import gaussian_of
from stackgan_tf.metrics.inception_score import inception_score
from stackgan_tf.system.errors import UserError

IMAGES = noise(75)


def test_one_pass_against_all_at_once():
    found = image_statistics(Given(IMAGES), MeanColours(), small=True)
    extracted = MeanColours()(IMAGES)
    expected = gaussian_of(extracted.features)
    np.testing.assert_allclose(found.gaussian.covariance, expected.covariance, atol=1e-9)
    assert found.count == 75
    assert found.inception.value == pytest.approx(inception_score(extracted.probabilities).value, rel=1e-6)
    copies = gaussian_of(MeanColours()(small_copies(IMAGES, 64)).features)
    np.testing.assert_allclose(found.small.covariance, copies.covariance, atol=1e-9)
    # All but one of an odd number are kept, in another order.
    assert len({tuple(row) for row in found.kept} & {tuple(row) for row in extracted.features}) == 74
    assert found.similarity.count == 37


@pytest.mark.parametrize('batch', [1, 75])
def test_batches_do_not_matter(batch):
    one, other = (image_statistics(Given(IMAGES, size), MeanColours()) for size in (7, batch))
    np.testing.assert_allclose(one.kept, other.kept, atol=1e-6)
    np.testing.assert_allclose(one.gaussian.covariance, other.gaussian.covariance, atol=1e-9)
    assert one.inception.value == pytest.approx(other.inception.value, rel=1e-6)
    assert one.similarity.value == pytest.approx(other.similarity.value, rel=1e-6)


def test_memory_does_not_grow_with_the_number(monkeypatch):
    monkeypatch.setattr(module, 'KEPT', 10)
    monkeypatch.setattr(module, 'PAIRS', 4)
    found = image_statistics(Given(IMAGES), MeanColours())
    assert found.kept.shape == (10, 12)
    assert found.similarity.count == 4
    # They are sampled at random, by the seed.
    others = image_statistics(Given(IMAGES), MeanColours(), seed=1)
    assert np.any(found.kept != others.kept)


def test_a_single_image_has_no_scores():
    with pytest.raises(UserError, match='at least two images'):
        image_statistics(Given(IMAGES[:1]), MeanColours())


def test_a_set_against_itself():
    images, extractor = Given(IMAGES), MeanColours()
    statistics = image_statistics(images, extractor, small=True)
    scores = distribution_scores(images, statistics, images, statistics, extractor, 0)
    assert scores['fid'].value == pytest.approx(0, abs=1e-6)
    assert scores['fid_64'].value == pytest.approx(0, abs=1e-6)
    assert scores['kid'].value == pytest.approx(0, abs=1e-3)
    assert scores['precision'].value == scores['recall'].value == scores['coverage'].value == 1
    for name in ('inception_score', 'ms_ssim'):
        assert scores[name].value == scores[f'{name}_real'].value


def test_each_score_has_its_protocol():
    images, extractor = Given(IMAGES, title='these'), MeanColours(resize='legacy')
    statistics = image_statistics(images, extractor)
    scores = distribution_scores(images, statistics, Given(noise(40), title='those'), statistics, extractor, 3)
    for part in (
        '40 generated images of 16 pixels (those)',
        'against 75 real',
        'legacy resize to 8',
        'N - 1',
    ):
        assert part in scores['fid'].protocol
    assert 'subsets of 37 out of 74 and 74 (seed 3)' in scores['kid'].protocol
    assert '1 scales' in scores['ms_ssim'].protocol
