import numpy as np
import pytest

from stackgan_tf.losses.joint_conditional import Logits
from stackgan_tf.losses.relativistic import pairing_loss, relativistic_discriminator_loss, relativistic_generator_loss

RNG = np.random.default_rng(0)


def logits(unconditional=True):
    conditional, alone = RNG.normal(size=(2, 5)).astype('float32')
    return Logits(conditional, alone if unconditional else None)


def softplus(x, weights=1.0):
    return float(np.mean(weights * np.log1p(np.exp(x))))


def test_pairs_that_differ_clearly_cost_nothing_and_equal_ones_log_2():
    assert float(pairing_loss(np.full(3, 60.0), np.zeros(3))) == pytest.approx(0.0, abs=1e-6)
    assert float(pairing_loss(np.ones(3), np.ones(3))) == pytest.approx(np.log(2), rel=1e-6)
    assert float(pairing_loss(np.zeros(3), np.full(3, 60.0))) == pytest.approx(60.0, rel=1e-6)


def test_a_constant_added_to_all_logits_changes_nothing():
    real, generated = logits(), logits()
    shifted = [Logits(each.conditional_logits + 3, each.unconditional_logits + 3) for each in (real, generated)]
    for loss in (lambda r, g: relativistic_discriminator_loss(r, None, g), relativistic_generator_loss):
        assert float(loss(*shifted)) == pytest.approx(float(loss(real, generated)), rel=1e-5)


def test_the_discriminators_terms_and_their_weights():
    real, wrong, fake = logits(), logits(unconditional=False), logits()
    rows, has_condition = np.array([1, 0, 1, 1, 1], 'float32'), np.array([1, 1, 0, 1, 1], 'float32')
    weights = {
        'conditional_weight': 2.0,
        'unconditional_weight': 3.0,
        'mismatched_weight': 0.7,
        'generated_weight': 0.4,
    }
    found = relativistic_discriminator_loss(real, wrong, fake, rows, has_condition, **weights)
    conditional = 0.4 * softplus(fake.conditional_logits - real.conditional_logits, has_condition)
    conditional += 0.7 * softplus(wrong.conditional_logits - real.conditional_logits, rows * has_condition)
    expected = 3 * softplus(fake.unconditional_logits - real.unconditional_logits) + 2 * conditional
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_generators_terms():
    real, fake = logits(), logits()
    expected = softplus(real.unconditional_logits - fake.unconditional_logits)
    expected += 2 * softplus(real.conditional_logits - fake.conditional_logits)
    assert float(relativistic_generator_loss(real, fake, conditional_weight=2.0)) == pytest.approx(expected, rel=1e-5)
    alone = [Logits(None, each.unconditional_logits) for each in (real, fake)]
    expected = softplus(real.unconditional_logits - fake.unconditional_logits)
    assert float(relativistic_generator_loss(*alone)) == pytest.approx(expected, rel=1e-5)
