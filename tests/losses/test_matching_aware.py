import numpy as np
import pytest

from stackgan_tf.losses.adversarial import discriminator_loss
from stackgan_tf.losses.joint_conditional import Logits
from stackgan_tf.losses.matching_aware import matching_aware_discriminator_loss, matching_aware_generator_loss

RNG = np.random.default_rng(0)
REAL, WRONG, FAKE = (Logits(*RNG.normal(size=(2, 5)).astype('float32')) for _ in range(3))
CONDITIONAL_REAL, CONDITIONAL_WRONG, CONDITIONAL_FAKE = (
    Logits(logits.conditional_logits) for logits in (REAL, WRONG, FAKE)
)


def entropy(values, target, rows=1.0):
    p = 1 / (1 + np.exp(-values.astype('float64')))
    return float(np.mean(-rows * (target * np.log(p) + (1 - target) * np.log(1 - p))))


def test_as_in_the_paper():
    found = matching_aware_discriminator_loss(CONDITIONAL_REAL, CONDITIONAL_WRONG, CONDITIONAL_FAKE)
    expected = entropy(REAL.conditional_logits, 1) + 0.5 * (
        entropy(WRONG.conditional_logits, 0) + entropy(FAKE.conditional_logits, 0)
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_without_mismatched_pairs():
    found = matching_aware_discriminator_loss(CONDITIONAL_REAL, None, CONDITIONAL_FAKE)
    assert float(found) == pytest.approx(
        entropy(REAL.conditional_logits, 1) + entropy(FAKE.conditional_logits, 0), rel=1e-5
    )


def test_with_an_unconditional_head_as_in_the_later_released_stage_two():
    expected = (entropy(REAL.conditional_logits, 1) + entropy(REAL.unconditional_logits, 1)) / 2
    expected += (
        entropy(FAKE.conditional_logits, 0)
        + entropy(WRONG.conditional_logits, 0)
        + entropy(FAKE.unconditional_logits, 0)
    ) / 3
    for wrong in (WRONG, CONDITIONAL_WRONG):  # the unconditional logits of mismatched images do not count
        assert float(matching_aware_discriminator_loss(REAL, wrong, FAKE)) == pytest.approx(expected, rel=1e-5)


def test_unconditional():
    real, fake = Logits(None, REAL.unconditional_logits), Logits(None, FAKE.unconditional_logits)
    found = matching_aware_discriminator_loss(real, None, fake, real_target=0.9)
    assert float(found) == pytest.approx(
        entropy(REAL.unconditional_logits, 0.9) + entropy(FAKE.unconditional_logits, 0), rel=1e-5
    )
    assert float(found) == pytest.approx(
        float(discriminator_loss(real.unconditional_logits, fake.unconditional_logits, 0.9))
    )


def test_rows_without_a_partner_or_a_condition_and_a_smoothed_target():
    rows, has_condition = np.array([1, 0, 1, 1, 0], 'float32'), np.array([0, 1, 1, 1, 1], 'float32')
    found = matching_aware_discriminator_loss(
        CONDITIONAL_REAL, CONDITIONAL_WRONG, CONDITIONAL_FAKE, rows, 0.9, has_condition
    )
    false = entropy(WRONG.conditional_logits, 0, rows * has_condition) + entropy(
        FAKE.conditional_logits, 0, has_condition
    )
    assert float(found) == pytest.approx(entropy(REAL.conditional_logits, 0.9, has_condition) + 0.5 * false, rel=1e-5)


def test_generator():
    assert float(matching_aware_generator_loss(CONDITIONAL_FAKE)) == pytest.approx(
        entropy(FAKE.conditional_logits, 1), rel=1e-5
    )
    unconditional = Logits(None, FAKE.unconditional_logits)
    assert float(matching_aware_generator_loss(unconditional)) == pytest.approx(
        entropy(FAKE.unconditional_logits, 1), rel=1e-5
    )
    rows = np.array([0, 1, 1, 1, 0], 'float32')
    expected = entropy(FAKE.conditional_logits, 1, rows) + entropy(FAKE.unconditional_logits, 1)
    assert float(matching_aware_generator_loss(FAKE, rows)) == pytest.approx(expected, rel=1e-5)
