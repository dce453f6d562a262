"""Captured modes in cases with known answers."""

import numpy as np
import pytest

from stackgan_tf.metrics.captured_modes import modes_captured, reverse_kl


def test_one_mode_of_a_thousand():
    counts = np.bincount([7] * 50, minlength=1000)
    assert (modes_captured(counts).value, modes_captured(counts).count) == (1, 50)
    assert reverse_kl(counts).value == pytest.approx(np.log(1000))


def test_all_modes_equally_often():
    counts = np.full(1000, 26)
    assert modes_captured(counts).value == 1000
    assert reverse_kl(counts).value == pytest.approx(0, abs=1e-12)
    assert reverse_kl(counts).count == 26_000


def test_modes_of_different_frequency():
    counts = np.array([2, 1, 1, 0])
    assert modes_captured(counts).value == 3
    assert reverse_kl(counts).value == pytest.approx(0.5 * np.log(0.5 * 4) + 2 * 0.25 * np.log(0.25 * 4))


def test_perfect_images_have_the_divergence_of_their_small_number():
    counts = np.bincount(np.random.default_rng(0).integers(0, 1000, 26_000), minlength=1000)
    assert reverse_kl(counts).value == pytest.approx(999 / 52_000, rel=0.1)
