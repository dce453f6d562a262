import numpy as np
import scipy.special
import tensorflow as tf

from stackgan_tf.losses.joint_embedding import joint_embedding_loss, matching_cross_entropy


def loss(images, texts, labels):
    return float(
        joint_embedding_loss(tf.constant(images, tf.float32), tf.constant(texts, tf.float32), tf.constant(labels))
    )


def by_hand(v, t, labels):
    total, n = 0.0, len(labels)
    for i in range(n):
        for j in range(n):
            if labels[i] != labels[j]:
                total += max(0, 1 + v[i] @ t[j] - v[i] @ t[i])
                total += max(0, 1 + v[j] @ t[i] - v[i] @ t[i])
    return total / n**2


def test_against_the_sums_of_the_paper():
    rng = np.random.default_rng(0)
    v, t = rng.normal(size=(2, 6, 3))
    labels = np.array([0, 1, 2, 1, 0, 3])
    np.testing.assert_allclose(loss(v, t, labels), by_hand(v, t, labels), rtol=1e-5)


def test_the_loss_of_well_separated_pairs_is_zero():
    assert loss(2 * np.eye(3), np.eye(3), [0, 1, 2]) == 0


def test_the_hinges_of_equal_embeddings_are_one():
    assert loss(np.ones((4, 2)), np.ones((4, 2)), [0, 1, 2, 3]) == 2 * 12 / 16


def test_images_of_one_class_are_not_compared():
    v, t = np.random.default_rng(0).normal(size=(2, 4, 3))
    assert loss(v, t, [5, 5, 5, 5]) == 0


def cross_entropy(images, texts, labels):
    return float(
        matching_cross_entropy(tf.constant(images, tf.float32), tf.constant(texts, tf.float32), tf.constant(labels))
    )


def test_cross_entropy_against_softmax_over_other_classes():
    rng = np.random.default_rng(0)
    v, t = rng.normal(size=(2, 6, 3))
    labels = np.array([0, 1, 2, 1, 0, 3])
    expected = 0.0
    for i in range(6):
        among = [i, *np.flatnonzero(labels != labels[i])]
        expected -= np.log(scipy.special.softmax(t[among] @ v[i])[0] * scipy.special.softmax(v[among] @ t[i])[0]) / 6
    np.testing.assert_allclose(cross_entropy(v, t, labels), expected, rtol=1e-5)


def test_cross_entropy_of_equal_embeddings_and_of_one_class():
    np.testing.assert_allclose(cross_entropy(np.ones((4, 2)), np.ones((4, 2)), [0, 1, 2, 3]), 2 * np.log(4), rtol=1e-6)
    assert cross_entropy(np.ones((4, 2)), np.ones((4, 2)), [5, 5, 5, 5]) == 0
