import keras
import numpy as np
import pytest
from tensorflow_probability import distributions as tfd

from stackgan_tf.losses.conditioning import kl_loss


def test_against_the_closed_form_of_each_row():
    rng = np.random.default_rng(0)
    mu, log_variance = rng.normal(size=(2, 5, 4)).astype('float32')
    expected = 0.5 * (mu**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1)  # for a diagonal normal
    assert float(kl_loss(mu, log_variance)) == pytest.approx(expected.mean() / 4, rel=1e-5)


def test_against_tensorflow_probability():
    rng = np.random.default_rng(1)
    mu, log_variance = rng.normal(size=(2, 5, 4)).astype('float32')
    drawn = tfd.MultivariateNormalDiag(mu, np.exp(log_variance / 2))
    standard = tfd.MultivariateNormalDiag(np.zeros(4, 'float32'), np.ones(4, 'float32'))
    expected = tfd.kl_divergence(drawn, standard).numpy().mean() / 4  # a mean over dimensions, as released
    assert float(kl_loss(mu, log_variance)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_the_standard_normal_is_zero_and_float16_is_computed_in_float32():
    zeros = keras.ops.zeros((2, 3), 'float16')
    assert float(kl_loss(zeros, zeros)) == 0
    assert kl_loss(zeros, zeros).dtype == 'float32'
