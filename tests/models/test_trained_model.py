import pytest

from stackgan_tf.models.trained_model import Rate


def test_a_late_decay_starts_half_way_and_ends_at_zero():
    rates = [float(Rate(0.2, 100)(step)) for step in (0, 50, 75, 100, 120)]
    assert rates == pytest.approx([0.2, 0.2, 0.1, 0.0, 0.0])
