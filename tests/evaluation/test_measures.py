"""Caption consistency, R-precision and diversity against plain loops and cases with known answers."""

import numpy as np
import pytest
from captioned import Captioned

from stackgan_tf.evaluation.caption_sampling import sample_captions
from stackgan_tf.metrics import r_precision as module
from stackgan_tf.metrics.caption_consistency import caption_consistency
from stackgan_tf.metrics.clip_score import clip_score
from stackgan_tf.metrics.diversity import diversity, mean_distance
from stackgan_tf.metrics.r_precision import other_captions, r_precision
from stackgan_tf.metrics.score import mean_score

RNG = np.random.default_rng(0)


def test_mean_and_spread():
    measured = np.array([1.0, 0, 0, 1, 1])
    score = mean_score(measured)
    assert (score.value, score.count) == (0.6, 5)
    assert score.spread == pytest.approx(np.sqrt(0.6 * 0.4 * 5 / 4 / 5))
    assert mean_score(np.array([3.0])).spread == 0


def test_only_attributes_that_a_caption_names_count():
    predicted = np.array([[1, 2, 0], [1, 5, 1], [0, 0, 0]])
    expected = np.array([[1, 3, 0], [2, 5, 0], [0, 1, 1]])
    named = np.array([[True, True, False], [True, False, False], [True, False, False]])
    scores = caption_consistency(predicted, expected, named, ('body', 'wing', 'beak'))
    assert scores['caption_consistency'].value == 2 / 4
    assert scores['caption_consistency_body'].value == pytest.approx(2 / 3)
    assert scores['caption_consistency_wing'].value == 0
    assert 'caption_consistency_beak' not in scores


def test_one_caption_of_each_example_is_sampled():
    source = Captioned(30)
    sampled = sample_captions(source, 30, 0)
    assert sorted(sampled.examples) == list(range(30))
    for text, row, example, label in zip(sampled.texts, sampled.rows, sampled.examples, sampled.labels, strict=True):
        assert text.decode().endswith(f'of {example}')
        assert source.captions().texts[row] == text
        assert label == example % 3
    assert set(sample_captions(source, 30, 0).rows) == set(sampled.rows)
    assert set(sample_captions(source, 30, 1).rows) != set(sampled.rows)


def test_more_captions_than_examples():
    sampled = sample_captions(Captioned(9), 20, 0)
    assert np.bincount(sampled.examples).max() == 3
    assert len(sampled.texts) == 20


def test_other_captions_are_of_other_classes_and_different():
    labels, caption_labels = np.array([0, 1, 2, 0]), np.repeat([0, 1, 2], 60)
    sampled = other_captions(labels, caption_labels, 0)
    assert sampled.shape == (4, 99)
    assert (caption_labels[sampled] != labels[:, None]).all()
    assert all(len(set(row)) == 99 for row in sampled)


def test_few_other_captions_repeat():
    assert other_captions(np.array([0]), np.array([0, 1, 1]), 0).shape == (1, 99)


def test_r_precision_against_a_plain_loop(monkeypatch):
    images, true, others = RNG.normal(size=(40, 5)), RNG.normal(size=(40, 5)), RNG.normal(size=(40, 3, 5))
    hits = [all(images[i] @ true[i] > images[i] @ others[i, j] for j in range(3)) for i in range(40)]
    captions, rows = others.reshape(120, 5), np.arange(120).reshape(40, 3)
    assert r_precision(images, true, captions, rows).value == pytest.approx(np.mean(hits))
    monkeypatch.setattr(module, '_BLOCK', 7)
    assert r_precision(images, true, captions, rows).value == pytest.approx(np.mean(hits))
    itself = np.arange(40)[:, None]
    assert r_precision(true, true, -true, itself).value == 1
    # A tie with another caption does not count as retrieved.
    assert r_precision(true, true, true, itself).value == 0


def test_mean_distance_against_a_plain_loop():
    images = RNG.integers(0, 256, (6, 4, 4, 3), np.uint8)
    pairs = [(i, j) for i in range(6) for j in range(i)]
    each = [np.sqrt(np.mean((images[i].astype(float) - images[j]) ** 2)) for i, j in pairs]
    assert mean_distance(images) == pytest.approx(np.mean(each))


def test_the_diversity_of_a_repeated_image_is_zero():
    real = RNG.integers(0, 256, (5, 4, 4, 3), np.uint8)
    assert diversity([np.repeat(real[:1], 9, 0)], [real]).value == pytest.approx(0, abs=1e-6)
    assert diversity([real, real], [real, real]).value == pytest.approx(1)


def test_clip_score_in_closed_form():
    images = np.array([[3.0, 0], [0, 2], [1, 1], [1, 0]], np.float32)
    captions = np.array([[5.0, 0], [1, 0], [0, 7], [-1, 0]], np.float32)  # 0, 90, 45 and 180 degrees
    score = clip_score(images, captions)
    assert score.value == pytest.approx((100 + 0 + 100 / np.sqrt(2) + 0) / 4)
    assert (score.count, score.spread) == (4, pytest.approx(np.std([100, 0, 100 / np.sqrt(2), 0], ddof=1) / 2))
    same = RNG.normal(size=(500, 3)).astype(np.float32)
    assert 99.999 < clip_score(same, same).value < 100.001
