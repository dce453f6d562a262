"""KID against a plain loop and TF-GAN."""

import numpy as np
import pytest
import tensorflow as tf
from tfgan import classifier_metrics

from stackgan_tf.metrics.kid import kid, squared_discrepancy

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(120, 6)).astype(np.float32)
GENERATED = (RNG.normal(size=(120, 6)) + 0.5).astype(np.float32)


def test_against_a_plain_loop():
    def kernel(x, y):
        return (sum(float(a) * float(b) for a, b in zip(x, y, strict=True)) / 6 + 1) ** 3

    x, y = REAL[:9], GENERATED[:7]
    within = [np.mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]) for z in (x, y)]
    across = np.mean([kernel(a, b) for a in x for b in y])
    assert squared_discrepancy(x, y) == pytest.approx(sum(within) - 2 * across, rel=1e-12)


def test_against_tfgan():
    metrics = classifier_metrics()
    expected, _ = metrics.kernel_classifier_distance_and_std_from_activations(
        tf.constant(REAL), tf.constant(GENERATED), max_block_size=120
    )
    assert squared_discrepancy(REAL, GENERATED) == pytest.approx(float(expected), rel=1e-4)


def test_subsets_are_at_most_half_of_the_smaller_set_so_there_is_a_spread():
    score = kid(REAL, GENERATED[:80])
    assert score.count == 40
    found = [squared_discrepancy(*RNG.permuted(np.stack([REAL, GENERATED]), axis=1)[:, :40]) for _ in range(200)]
    assert score.spread == pytest.approx(np.std(found), rel=0.4)
    assert score.value == pytest.approx(squared_discrepancy(REAL, GENERATED[:80]), abs=4 * score.spread / 10)


def test_three_images_have_no_spread():
    score = kid(REAL[:3], GENERATED)
    assert (score.value, score.spread, score.count) == (squared_discrepancy(REAL[:3], GENERATED), None, 3)


def test_subsets_are_unbiased_and_repeatable():
    score = kid(REAL, GENERATED, subsets=400, size=40)
    assert score.value == pytest.approx(squared_discrepancy(REAL, GENERATED), abs=4 * score.spread / 20)
    assert score == kid(REAL, GENERATED, subsets=400, size=40)
    assert score != kid(REAL, GENERATED, subsets=400, size=40, seed=1)


def test_the_mean_distance_within_a_distribution_is_zero():
    """The Frechet distance, in contrast, grows as images get fewer."""
    rng = np.random.default_rng(1)
    found = [squared_discrepancy(*rng.normal(size=(2, 10, 6))) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(0, abs=4 * np.std(found) / np.sqrt(2000))


def test_a_set_against_itself():
    # An image is paired with itself across the sets, but not within them, so the result is slightly below 0.
    itself = kid(REAL, REAL, size=60).value
    assert -0.2 * kid(REAL, GENERATED, size=60).value < itself < 0
