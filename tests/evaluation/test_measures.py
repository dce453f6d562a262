"""Caption consistency, R-precision and diversity against plain loops and cases with known answers."""

import numpy as np
import pytest
from captioned import Captioned

from stackgan_tf.evaluation.caption_sampling import draw_captions
from stackgan_tf.metrics import r_precision as module
from stackgan_tf.metrics.caption_consistency import caption_consistency
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


def test_only_what_a_caption_names_counts():
    read = np.array([[1, 2, 0], [1, 5, 1], [0, 0, 0]])
    asked = np.array([[1, 3, 0], [2, 5, 0], [0, 1, 1]])
    named = np.array([[True, True, False], [True, False, False], [True, False, False]])
    scores = caption_consistency(read, asked, named, ('body', 'wing', 'beak'))
    assert scores['caption_consistency'].value == 2 / 4
    assert scores['caption_consistency_body'].value == pytest.approx(2 / 3)
    assert scores['caption_consistency_wing'].value == 0
    assert 'caption_consistency_beak' not in scores


def test_captions_are_drawn_one_of_each_example():
    source = Captioned(30)
    drawn = draw_captions(source, 30, 0)
    assert sorted(drawn.examples) == list(range(30))
    for text, row, example, label in zip(drawn.texts, drawn.rows, drawn.examples, drawn.labels, strict=True):
        assert text.decode().endswith(f'of {example}')
        assert source.captions().texts[row] == text
        assert label == example % 3
    assert set(draw_captions(source, 30, 0).rows) == set(drawn.rows)
    assert set(draw_captions(source, 30, 1).rows) != set(drawn.rows)


def test_more_captions_than_examples():
    drawn = draw_captions(Captioned(9), 20, 0)
    assert np.bincount(drawn.examples).max() == 3
    assert len(drawn.texts) == 20


def test_other_captions_are_of_other_classes_and_different():
    labels, caption_labels = np.array([0, 1, 2, 0]), np.repeat([0, 1, 2], 60)
    drawn = other_captions(labels, caption_labels, 0)
    assert drawn.shape == (4, 99)
    assert (caption_labels[drawn] != labels[:, None]).all()
    assert all(len(set(row)) == 99 for row in drawn)


def test_few_other_captions_come_again():
    assert other_captions(np.array([0]), np.array([0, 1, 1]), 0).shape == (1, 99)


def test_r_precision_against_a_plain_loop(monkeypatch):
    pictures, true, others = RNG.normal(size=(40, 5)), RNG.normal(size=(40, 5)), RNG.normal(size=(40, 3, 5))
    hits = [all(pictures[i] @ true[i] > pictures[i] @ others[i, j] for j in range(3)) for i in range(40)]
    captions, rows = others.reshape(120, 5), np.arange(120).reshape(40, 3)
    assert r_precision(pictures, true, captions, rows).value == pytest.approx(np.mean(hits))
    monkeypatch.setattr(module, '_BLOCK', 7)
    assert r_precision(pictures, true, captions, rows).value == pytest.approx(np.mean(hits))
    itself = np.arange(40)[:, None]
    assert r_precision(true, true, -true, itself).value == 1
    # A caption that scores like another is not found.
    assert r_precision(true, true, true, itself).value == 0


def test_mean_distance_against_a_plain_loop():
    images = RNG.integers(0, 256, (6, 4, 4, 3), np.uint8)
    pairs = [(i, j) for i in range(6) for j in range(i)]
    each = [np.sqrt(np.mean((images[i].astype(float) - images[j]) ** 2)) for i, j in pairs]
    assert mean_distance(images) == pytest.approx(np.mean(each))


def test_diversity_of_one_picture_many_times_is_none():
    real = RNG.integers(0, 256, (5, 4, 4, 3), np.uint8)
    assert diversity([np.repeat(real[:1], 9, 0)], [real]).value == pytest.approx(0, abs=1e-6)
    assert diversity([real, real], [real, real]).value == pytest.approx(1)
