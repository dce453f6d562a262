"""The Frechet distance against closed forms, SciPy's square root of matrices and TF-GAN."""

import numpy as np
import pytest
import scipy.linalg
from tfgan import classifier_metrics

from stackgan_tf.metrics.frechet_distance import Gaussian, Moments, frechet_distance, gaussian_of

RNG = np.random.default_rng(0)
MIXING = RNG.normal(size=(24, 24))
REAL = (RNG.normal(size=(900, 24)) @ MIXING + 3).astype(np.float32)
GENERATED = (RNG.normal(size=(700, 24)) * np.linspace(0.5, 2, 24)).astype(np.float32)


def by_scipy(first, second):
    """The usual implementation: float64, the square root of the product of covariances."""
    means = [each.astype(np.float64).mean(0) for each in (first, second)]
    covariances = [np.cov(each.astype(np.float64), rowvar=False) for each in (first, second)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    return np.sum((means[0] - means[1]) ** 2) + np.trace(covariances[0] + covariances[1] - 2 * root.real)


def test_against_scipy():
    assert frechet_distance(gaussian_of(REAL), gaussian_of(GENERATED)) == pytest.approx(
        by_scipy(REAL, GENERATED), rel=1e-10
    )


def test_against_tfgan():
    expected = float(classifier_metrics().frechet_classifier_distance_from_activations(REAL, GENERATED))
    assert frechet_distance(gaussian_of(REAL), gaussian_of(GENERATED)) == pytest.approx(expected, rel=1e-5)


def test_gaussians_in_closed_form():
    """For commuting covariances, the distance sums squared differences of means and of deviations."""
    deviations = np.array([[1.0, 2, 0, 4], [3, 2, 5, 0]])
    turn, _ = np.linalg.qr(RNG.normal(size=(4, 4)))
    means = np.array([[0.0, 0, 0, 0], [1, 2, 3, 4]])
    first, second = (
        Gaussian(mean, turn @ np.diag(each**2) @ turn.T, 9) for mean, each in zip(means, deviations, strict=True)
    )
    assert frechet_distance(first, second) == pytest.approx(30 + 4 + 0 + 25 + 16, rel=1e-7)
    assert frechet_distance(second, first) == pytest.approx(75, rel=1e-7)


@pytest.mark.parametrize('count', [900, 10])
def test_a_set_is_at_no_distance_from_itself(count):
    itself = gaussian_of(REAL[:count])  # the covariance of ten images is singular
    assert frechet_distance(itself, itself) == pytest.approx(0, abs=1e-9)


def test_fewer_images_than_dimensions_against_the_singular_values_of_the_data():
    """With S = X^T X / (n - 1), the trace of the root is the sum of singular values of X Y^T, whatever the rank."""
    few, others = REAL[:10].astype(np.float64), GENERATED[:12].astype(np.float64)
    x, y = (each - each.mean(0) for each in (few, others))
    root = np.linalg.svd(x @ y.T, compute_uv=False).sum() / np.sqrt(9 * 11)
    expected = np.sum((few.mean(0) - others.mean(0)) ** 2) + np.sum(x**2) / 9 + np.sum(y**2) / 11 - 2 * root
    assert frechet_distance(gaussian_of(few), gaussian_of(others)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize('batch', [1, 7, 900])
def test_moments_do_not_depend_on_batches_or_order(batch):
    moments = Moments(24)
    rows = RNG.permutation(REAL)
    for first in range(0, len(rows), batch):
        moments.add(rows[first : first + batch])
    found = moments.gaussian()
    assert found.count == 900
    np.testing.assert_allclose(found.mean, REAL.mean(0, np.float64), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(REAL.astype(np.float64), rowvar=False), rtol=1e-9)


def test_large_means_cost_no_digits():
    far = REAL.astype(np.float64) + 1e6
    assert frechet_distance(gaussian_of(far), gaussian_of(far + 1)) == pytest.approx(24, rel=1e-5)


def test_golden_value():
    assert frechet_distance(gaussian_of(REAL), gaussian_of(GENERATED)) == pytest.approx(578.8626530841746, rel=1e-9)
