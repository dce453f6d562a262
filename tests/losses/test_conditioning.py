import keras
import numpy as np
import pytest

from stackgan_tf.losses.conditioning import kl_loss


def test_against_the_closed_form_of_each_row():
    rng = np.random.default_rng(0)
    mu, log_variance = rng.normal(size=(2, 5, 4)).astype('float32')
    expected = 0.5 * (mu**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1)  # of a diagonal normal
    assert float(kl_loss(mu, log_variance)) == pytest.approx(expected.mean() / 4, rel=1e-5)


def test_against_an_integral():
    mu, sigma = 0.7, 0.5
    x = np.linspace(-8, 8, 200_001)
    density = np.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    log_ratio = -((x - mu) ** 2) / (2 * sigma**2) - np.log(sigma) + x**2 / 2
    integral = np.trapezoid(density * log_ratio, x)
    found = kl_loss(np.full((3, 2), mu, 'float32'), np.full((3, 2), 2 * np.log(sigma), 'float32'))
    assert float(found) == pytest.approx(integral, rel=1e-4)


def test_the_standard_normal_costs_nothing_and_float16_is_computed_in_float32():
    zeros = keras.ops.zeros((2, 3), 'float16')
    assert float(kl_loss(zeros, zeros)) == 0
    assert kl_loss(zeros, zeros).dtype == 'float32'
