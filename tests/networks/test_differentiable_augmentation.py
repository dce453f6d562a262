import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.networks.differentiable_augmentation import DRAWS, POLICIES, augment

EVERYTHING = tuple(POLICIES)
SIZE = 16


def images(count=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, SIZE, SIZE, 3)).astype('float32')


def draws(count=3, seed=0):
    return np.random.default_rng(seed).random((count, DRAWS), np.float32)


def augmented(policy, drawn, inputs=None):
    return np.asarray(augment(tf.constant(images() if inputs is None else inputs), tf.constant(drawn), policy))


def test_no_policy_changes_nothing():
    np.testing.assert_array_equal(augmented((), draws()), images())


def test_unknown_policy():
    with pytest.raises(ValueError, match="no augmentation 'blur': there are color, translation, cutout"):
        augmented(('blur',), draws())


def test_draws_of_one_half_change_neither_colors_nor_places():
    middle = np.full((3, DRAWS), 0.5, np.float32)
    np.testing.assert_allclose(augmented(('color', 'translation'), middle), images(), atol=1e-6)


def test_each_image_depends_on_its_own_draws():
    drawn = draws()
    together = augmented(EVERYTHING, drawn)
    for i in range(3):
        np.testing.assert_allclose(
            together[i], augmented(EVERYTHING, drawn[i : i + 1], images()[i : i + 1])[0], atol=1e-6
        )
    assert (augmented(EVERYTHING, draws(seed=1)) != together).any()


def test_colors_against_the_formulas():
    drawn = draws()
    expected = []
    for image, (b, s, c, *_) in zip(images().astype(float), drawn.astype(float), strict=True):
        brighter = image + b - 0.5
        gray = brighter.mean(-1, keepdims=True)
        saturated = gray + (brighter - gray) * 2 * s
        expected.append(saturated.mean() + (saturated - saturated.mean()) * (c + 0.5))
    np.testing.assert_allclose(augmented(('color',), drawn), expected, atol=1e-5)


@pytest.mark.parametrize(('down', 'right', 'shift'), [(0.0, 0.0, (-2, -2)), (0.999, 0.4, (2, 0)), (0.7, 0.999, (1, 2))])
def test_translation_fills_with_gray(down, right, shift):
    drawn = draws(1)
    drawn[:, 3:5] = down, right
    padded = np.pad(images(1)[0], ((2, 2), (2, 2), (0, 0)))
    top, left = 2 + shift[0], 2 + shift[1]
    np.testing.assert_array_equal(
        augmented(('translation',), drawn, images(1))[0], padded[top : top + 16, left : left + 16]
    )


@pytest.mark.parametrize(
    ('down', 'right', 'rows', 'columns'),
    [(0.5, 0.5, slice(4, 12), slice(4, 12)), (0.0, 0.999, slice(0, 4), slice(12, 16))],
)
def test_cutout_makes_a_square_of_half_the_side_gray(down, right, rows, columns):
    drawn = draws(1)
    drawn[:, 5:7] = down, right
    expected = images(1)
    expected[0, rows, columns] = 0
    np.testing.assert_array_equal(augmented(('cutout',), drawn, images(1)), expected)


def test_every_translation_and_cutout_occurs_equally_often():
    spot = np.zeros((2000, 8, 8, 3), np.float32)
    spot[:, 4, 4] = 1
    drawn = draws(2000)
    moved = augmented(('translation',), drawn, spot)[..., 0]
    places, counts = np.unique(np.argwhere(moved)[:, 1:], axis=0, return_counts=True)
    assert places.tolist() == [[i, j] for i in (3, 4, 5) for j in (3, 4, 5)]
    assert counts.min() > 170
    ones = np.ones((2000, 8, 8, 3), np.float32)
    cut = 1 - augmented(('cutout',), drawn, ones)[..., 0].mean(0)
    np.testing.assert_allclose(cut, cut[::-1, ::-1], atol=0.05)


def test_gradients_reach_the_images():
    inputs = tf.Variable(images())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(augment(inputs, tf.constant(draws()), ('color', 'translation')) ** 2)
    gradient = tape.gradient(loss, inputs).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient != 0).mean() > 0.7


def test_eager_and_traced_agree():
    traced = tf.function(lambda x, d: augment(x, d, EVERYTHING))
    np.testing.assert_allclose(traced(images(), draws()), augmented(EVERYTHING, draws()), atol=1e-6)
