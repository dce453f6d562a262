import math

import numpy as np
import pytest

from stackgan_tf.losses.adversarial import binary_cross_entropy, discriminator_loss, generator_loss

LOGITS = np.array([-3.0, 0.0, 2.0], 'float32')


def by_hand(logits, target):
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return float(np.mean(-target * np.log(p) - (1 - target) * np.log(1 - p)))


@pytest.mark.parametrize('target', [0.0, 0.9, 1.0])
def test_cross_entropy_equals_its_definition(target):
    assert float(binary_cross_entropy(LOGITS, target)) == pytest.approx(by_hand(LOGITS, target), rel=1e-6)


def test_the_loss_of_zero_logits_is_two_log_two():
    assert float(discriminator_loss(np.zeros(4), np.zeros(4))) == pytest.approx(2 * math.log(2))


def test_discriminator_loss_is_the_sum_over_real_and_generated():
    expected = by_hand(LOGITS, 0.9) + by_hand(-2 * LOGITS, 0.0)
    assert float(discriminator_loss(LOGITS, -2 * LOGITS, real_target=0.9)) == pytest.approx(expected, rel=1e-6)


def test_generator_loss_does_not_saturate():
    assert float(generator_loss(np.array([-50.0]))) == pytest.approx(50.0)


def test_large_logits_stay_finite_and_half_precision_is_computed_in_float32():
    loss = binary_cross_entropy(np.array([60000.0, -60000.0], 'float16'), 1.0)
    assert str(loss.dtype).endswith("float32'>") or 'float32' in str(loss.dtype)
    assert float(loss) == pytest.approx(30000.0, rel=1e-3)
