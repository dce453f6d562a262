"""Precision, recall, density and coverage against plain loops, and for a collapsed model."""

import numpy as np
import pytest

from stackgan_tf.metrics import precision_recall as module
from stackgan_tf.metrics.precision_recall import precision_recall

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(80, 3))
GENERATED = RNG.normal(size=(80, 3)) * 1.5 + 0.5


def values(real, generated, **settings):
    return {name: score.value for name, score in precision_recall(real, generated, **settings).items()}


def test_against_plain_loops():
    def radius(points, i, k):
        return sorted(np.linalg.norm(points[i] - other) for j, other in enumerate(points) if j != i)[k - 1]

    def inside(points, k, others):  # [points, others]
        return np.array([[np.linalg.norm(p - o) <= radius(points, i, k) for o in others] for i, p in enumerate(points)])

    expected = {
        'precision': inside(REAL, 3, GENERATED).any(0).mean(),
        'recall': inside(GENERATED, 3, REAL).any(0).mean(),
        'density': inside(REAL, 5, GENERATED).sum(0).mean() / 5,
        'coverage': inside(REAL, 5, GENERATED).any(1).mean(),
    }
    assert values(REAL, GENERATED) == pytest.approx(expected)
    assert 0 < expected['recall'] < 1
    assert 0 < expected['precision'] < 1


def test_scores_do_not_depend_on_blocks(monkeypatch):
    whole = values(REAL, GENERATED)
    monkeypatch.setattr(module, '_MEGABYTES', 0.005)
    assert values(REAL, GENERATED) == whole


def test_a_set_against_itself():
    found = values(REAL, REAL)
    assert (found['precision'], found['recall'], found['coverage']) == (1, 1, 1)
    assert found['density'] > 1


def test_a_collapsed_model_has_precision_and_no_recall():
    collapsed = REAL[:1] + 1e-3 * RNG.normal(size=(80, 3))
    found = values(REAL, collapsed)
    assert found['precision'] == 1
    assert found['recall'] < 0.1
    assert found['coverage'] < 0.2


def test_a_model_that_generates_everything_has_recall_and_no_precision():
    wide = 30 * RNG.normal(size=(80, 3))
    found = values(REAL, wide)
    assert found['precision'] < 0.1
    assert found['recall'] > 0.9


def test_equal_numbers_are_compared():
    scores = precision_recall(REAL, GENERATED[:50])
    assert {score.count for score in scores.values()} == {50}
