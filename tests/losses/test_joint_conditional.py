import keras
import numpy as np
import pytest
from keras import ops

from stackgan_tf.losses.joint_conditional import (
    Logits,
    joint_discriminator_loss,
    joint_generator_loss,
    partners,
)

RNG = np.random.default_rng(0)


def logits(unconditional=True):
    return Logits(*RNG.normal(size=(2 if unconditional else 1, 5)).astype('float32'))


def entropy(values, target, rows=1.0):
    p = 1 / (1 + np.exp(-values.astype('float64')))
    return float(np.mean(-rows * (target * np.log(p) + (1 - target) * np.log(1 - p))))


def test_image_pairs_as_released():
    real, wrong, fake = logits(), logits(), logits()
    found = joint_discriminator_loss(real, wrong, fake, np.ones(5, 'float32'))
    expected = (
        entropy(real.conditional_logits, 1) + entropy(wrong.conditional_logits, 0) + entropy(fake.conditional_logits, 0)
    )
    expected += (
        entropy(real.unconditional_logits, 1)
        + entropy(wrong.unconditional_logits, 1)
        + entropy(fake.unconditional_logits, 0)
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_without_the_unconditional_terms_as_released():
    real, wrong, fake = logits(), logits(), logits()
    weights = {'unconditional_weight': 0.0, 'mismatched_weight': 0.5, 'generated_weight': 0.5}
    found = joint_discriminator_loss(real, wrong, fake, np.ones(5, 'float32'), **weights)
    expected = entropy(real.conditional_logits, 1) + 0.5 * (
        entropy(wrong.conditional_logits, 0) + entropy(fake.conditional_logits, 0)
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_text_pairs_every_weight_and_rows_without_a_partner():
    real, wrong, fake = logits(), logits(unconditional=False), logits()
    rows = np.array([1, 0, 1, 1, 0], 'float32')
    weights = {
        'conditional_weight': 2.0,
        'unconditional_weight': 3.0,
        'mismatched_weight': 0.7,
        'generated_weight': 0.4,
    }
    found = joint_discriminator_loss(real, wrong, fake, rows, real_target=0.9, **weights)
    conditional = (
        entropy(real.conditional_logits, 0.9)
        + 0.7 * entropy(wrong.conditional_logits, 0, rows)
        + 0.4 * entropy(fake.conditional_logits, 0)
    )
    expected = 2 * conditional + 3 * (entropy(real.unconditional_logits, 0.9) + entropy(fake.unconditional_logits, 0))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_generator():
    fake = logits()
    found = joint_generator_loss(fake, conditional_weight=2.0, unconditional_weight=0.5)
    assert float(found) == pytest.approx(
        2 * entropy(fake.conditional_logits, 1) + 0.5 * entropy(fake.unconditional_logits, 1), rel=1e-5
    )


def test_rows_without_a_condition_add_to_unconditional_terms_alone():
    real, wrong, fake = logits(), logits(), logits()
    mismatched, has_condition = np.array([1, 1, 0, 1, 1], 'float32'), np.array([0, 1, 1, 1, 0], 'float32')
    found = joint_discriminator_loss(real, wrong, fake, mismatched, 1.0, has_condition)
    expected = entropy(real.conditional_logits, 1, has_condition) + entropy(
        wrong.conditional_logits, 0, mismatched * has_condition
    )
    expected += entropy(fake.conditional_logits, 0, has_condition) + entropy(fake.unconditional_logits, 0)
    expected += entropy(real.unconditional_logits, 1) + entropy(wrong.unconditional_logits, 1, mismatched)
    assert float(found) == pytest.approx(expected, rel=1e-5)
    found = joint_generator_loss(fake, has_condition)
    assert float(found) == pytest.approx(
        entropy(fake.conditional_logits, 1, has_condition) + entropy(fake.unconditional_logits, 1), rel=1e-5
    )


@pytest.mark.parametrize(
    ('labels', 'rows', 'valid'),
    [
        ([0, 1, 2], [1, 2, 0], [1, 1, 1]),
        ([0, 0, 1, 0], [2, 2, 3, 2], [1, 1, 1, 1]),
        ([4, 4], [0, 1], [0, 0]),
        ([7], [0], [0]),
    ],
)
def test_partners_are_never_of_the_same_class(labels, rows, valid):
    found_rows, found_valid = partners(ops.convert_to_tensor(labels, 'int32'))
    assert keras.ops.convert_to_numpy(found_rows).tolist() == rows
    assert keras.ops.convert_to_numpy(found_valid).tolist() == valid


def test_partners_are_the_next_rows_of_another_class_that_have_a_condition():
    labels, has_condition = np.array([0, 1, 0, 2, 2], 'int32'), np.array([1, 0, 0, 1, 0], 'float32')
    rows, valid = (keras.ops.convert_to_numpy(each).tolist() for each in partners(labels, has_condition))
    assert (rows, valid) == ([3, 3, 3, 0, 0], [1] * 5)
    rows, valid = (keras.ops.convert_to_numpy(each).tolist() for each in partners(labels, np.zeros(5, 'float32')))
    assert (rows, valid) == ([0, 1, 2, 3, 4], [0] * 5)
