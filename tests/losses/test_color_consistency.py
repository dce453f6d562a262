import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.losses.color_consistency import color_consistency_loss, color_statistics


def images(*sizes, count=4):
    rng = np.random.default_rng(3)
    return [rng.uniform(-1, 1, (count, size, size, 3)).astype('float32') for size in sizes]


def statistics(batch):
    flat = batch.reshape(len(batch), -1, 3).astype(np.float64)
    return flat.mean(1), np.stack([np.cov(pixels.T, bias=True) for pixels in flat])


def test_statistics_equal_numpys():
    (batch,) = images(8)
    for ours, theirs in zip(color_statistics(tf.constant(batch)), statistics(batch), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_released_norm_is_the_mean_over_all_elements():
    coarse, fine = images(8, 16)
    (mean_a, cov_a), (mean_b, cov_b) = statistics(coarse), statistics(fine)
    expected = np.mean((mean_a - mean_b) ** 2) + 5 * np.mean((cov_a - cov_b) ** 2)
    loss = color_consistency_loss([tf.constant(coarse), tf.constant(fine)])
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_norm_of_the_paper_is_the_squared_norm_of_each_image():
    coarse, fine = images(8, 16)
    (mean_a, cov_a), (mean_b, cov_b) = statistics(coarse), statistics(fine)
    expected = np.mean(np.sum((mean_a - mean_b) ** 2, 1) + 5 * np.sum((cov_a - cov_b) ** 2, (1, 2)))
    loss = color_consistency_loss([tf.constant(coarse), tf.constant(fine)], norm='paper')
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_gradients_reach_only_the_finer_image():
    pyramid = [tf.constant(batch) for batch in images(8, 16, 32)]
    with tf.GradientTape() as tape:
        tape.watch(pyramid)
        # As the coarse side of a pair the middle image gets no gradient: compare with its other pair alone.
        loss = color_consistency_loss(pyramid)
    gradients = tape.gradient(loss, pyramid)
    assert gradients[0] is None
    with tf.GradientTape() as tape:
        tape.watch(pyramid)
        loss = color_consistency_loss(pyramid[:2])
    np.testing.assert_allclose(gradients[1], tape.gradient(loss, pyramid[1]), atol=1e-8)


def test_only_the_last_three_scales_count():
    pyramid = [tf.constant(batch) for batch in images(8, 16, 32, 64)]
    assert float(color_consistency_loss(pyramid)) == pytest.approx(float(color_consistency_loss(pyramid[1:])))


def test_the_loss_of_one_scale_is_zero():
    assert float(color_consistency_loss([tf.constant(images(8)[0])])) == 0.0


def test_unknown_norm():
    with pytest.raises(ValueError, match='released'):
        color_consistency_loss([], norm='l1')
