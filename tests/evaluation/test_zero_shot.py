import numpy as np
import pytest
import tensorflow as tf
from captioned import Captioned, WordEncoder

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation import zero_shot
from stackgan_tf.evaluation.zero_shot import (
    class_embeddings,
    retrieval_precision,
    zero_shot_accuracy,
    zero_shot_scores,
)
from stackgan_tf.system.errors import UserError

CLASSES = np.array([3, 7])
LABELS = np.array([3, 3, 7, 7])


def test_class_embeddings_are_means_of_their_captions():
    classes, means = class_embeddings(np.array([[1.0, 0], [2, 2], [3, 0], [4, 6]]), np.array([7, 3, 7, 3]))
    assert classes.tolist() == [3, 7]
    np.testing.assert_array_equal(means, [[3, 4], [2, 0]])


def test_accuracy():
    scores = np.array([[2.0, 1], [0, 1], [5, 6], [-1, -2]])
    assert zero_shot_accuracy(scores, CLASSES, LABELS) == 0.5


def test_precision_of_the_first_images_of_each_class():
    scores = np.array([[2.0, 9], [0, 1], [1, 8], [-1, -2]])
    # Both classes retrieve the first and the third image.
    assert retrieval_precision(scores, CLASSES, LABELS) == 0.5


def test_precision_against_a_plain_loop():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    scores = rng.normal(size=(200, 4))
    expected = []
    for number in range(4):
        count = min(50, int((labels == number).sum()))
        best = sorted(range(200), key=lambda row: -scores[row, number])[:count]
        expected.append(sum(labels[row] == number for row in best) / count)
    assert retrieval_precision(scores, np.arange(4), labels) == pytest.approx(np.mean(expected))


def test_scores_of_an_encoder_that_matches_colors_and_of_one_that_confuses_them():
    assert zero_shot_scores(WordEncoder(), Captioned(300)) == {'zero_shot_accuracy': 1, 'retrieval_precision': 1}

    class Mixed(WordEncoder):
        def encode_images(self, images):
            return super().encode_images(images[..., ::-1])

    scores = zero_shot_scores(Mixed(), Captioned(300))
    assert scores == {'zero_shot_accuracy': pytest.approx(1 / 3), 'retrieval_precision': pytest.approx(1 / 3)}


def test_scores_do_not_depend_on_blocks(monkeypatch):
    class Noisy(WordEncoder):
        def encode_images(self, images):
            return super().encode_images(images[..., ::-1]) * tf.reduce_mean(images)

    class Classless(Captioned):
        labels = ExampleSource.labels

    whole = zero_shot_scores(Noisy(), Classless(90))
    monkeypatch.setattr(zero_shot, '_BLOCK', 7)
    assert zero_shot_scores(Noisy(), Classless(90)) == pytest.approx(whole)


def test_an_encoder_without_images_has_no_scores():
    encoder = WordEncoder()
    encoder.image_size = None
    with pytest.raises(UserError, match='not trained with images'):
        zero_shot_scores(encoder, Captioned())
