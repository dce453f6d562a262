"""The Inception score against SciPy's entropy, TF-GAN and cases with known answers."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from tfgan import classifier_metrics

from stackgan_tf.metrics.inception_score import SplitScores, inception_score

RNG = np.random.default_rng(0)
LOGITS = 3 * RNG.normal(size=(200, 7))
PROBABILITIES = scipy.special.softmax(LOGITS, axis=1)


def test_against_scipys_divergence():
    parts = np.split(PROBABILITIES, 10)
    scores = [np.exp(np.mean([scipy.stats.entropy(p, part.mean(0)) for p in part])) for part in parts]
    score = inception_score(PROBABILITIES, seed=None)
    assert score.value == pytest.approx(np.mean(scores), abs=1e-9)
    assert score.spread == pytest.approx(np.std(scores), abs=1e-9)
    assert score.count == 200


def test_against_tfgan():
    expected = classifier_metrics().classifier_score_from_logits(tf.constant(LOGITS))
    assert inception_score(PROBABILITIES, splits=1).value == pytest.approx(float(expected), abs=1e-6)


def test_confident_predictions_score_the_number_of_predicted_classes():
    sure = np.eye(5)[np.arange(500) % 5]
    assert inception_score(sure, seed=None).value == pytest.approx(5)
    assert inception_score(np.eye(5)[np.zeros(500, int)]).value == pytest.approx(1)
    assert inception_score(np.full((500, 5), 0.2)).value == pytest.approx(1)


def test_sorted_classes_are_spread_over_splits():
    sure = np.eye(5)[np.arange(500) // 100]
    assert inception_score(sure, seed=None).value == pytest.approx(1)
    assert inception_score(sure).value > 4.5


def test_it_does_not_depend_on_batches():
    whole = inception_score(PROBABILITIES)
    sums = SplitScores(200)
    for first in range(0, 200, 33):
        sums.add(PROBABILITIES[first : first + 33])
    assert sums.score().value == pytest.approx(whole.value, rel=1e-12)


def test_fewer_images_than_splits():
    assert inception_score(PROBABILITIES[:4]).value == pytest.approx(1)


def test_golden_value():
    assert inception_score(PROBABILITIES).value == pytest.approx(2.931272190383076, rel=1e-9)
