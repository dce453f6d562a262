"""Mode coverage in cases with known answers."""

import itertools

import numpy as np
import pytest

from stackgan_tf.metrics.mode_coverage import (
    entropy,
    expected_entropy,
    mode_coverage,
    mode_divergence,
    value_shares,
)

QUARTERS = np.full(4, 0.25)


def test_entropy():
    assert entropy(QUARTERS) == pytest.approx(np.log(4))
    assert entropy(np.array([0.0, 1.0])) == 0
    assert entropy(np.array([0.5, 0.25, 0.25])) == pytest.approx(1.5 * np.log(2))


def test_shares_have_every_value():
    np.testing.assert_array_equal(value_shares(np.array([0, 2, 2, 0]), 4), [0.5, 0, 0.5, 0])


def test_expected_entropy_is_the_mean_over_all_possible_draws():
    shares = np.array([0.5, 0.3, 0.2])
    mean = 0.0
    for draws in itertools.product(range(3), repeat=4):
        mean += np.prod(shares[list(draws)]) * entropy(value_shares(np.array(draws), 3))
    assert expected_entropy(shares, 4) == pytest.approx(mean)
    assert expected_entropy(shares, 1) == pytest.approx(0)
    assert expected_entropy(np.array([0.5, 0.5]), 2) == pytest.approx(np.log(2) / 2)
    assert expected_entropy(shares, 100_000) == pytest.approx(entropy(shares), rel=1e-4)


def test_images_of_one_value_cover_nothing_and_draws_of_the_real_ones_everything():
    collapsed = np.repeat([[0], [3], [1]], 32, axis=1)
    assert mode_coverage(collapsed, QUARTERS).value == 0
    drawn = np.random.default_rng(0).integers(0, 4, (2000, 8))
    score = mode_coverage(drawn, QUARTERS)
    assert score.count == 2000
    assert abs(score.value - 1) < 3 * score.spread < 0.02
    # Though each caption has one value, all captions together have three.
    assert mode_coverage(collapsed.reshape(1, -1), QUARTERS).value == pytest.approx(np.log(3) / np.log(4), rel=0.02)


def test_divergence():
    even = np.arange(4).repeat(10)
    assert mode_divergence(even, QUARTERS, 100).value == pytest.approx(0)
    assert mode_divergence(np.zeros(40, int), QUARTERS, 100).value == pytest.approx(np.log(4))
    half = np.array([0.5, 0.5, 0, 0])
    score = mode_divergence(even, half, 100)  # a value without real images counts as half an image
    expected = 0.5 * np.log(0.25 / (0.5 / 1.01)) + 0.5 * np.log(0.25 / (0.005 / 1.01))
    assert (score.value, score.count) == (pytest.approx(expected), 40)
    assert mode_divergence(np.zeros(4, int), np.array([1.0, 0.0]), 10).value >= 0
