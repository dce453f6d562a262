import dataclasses

import pytest

from stackgan_tf.training.callbacks.reports import time_estimate
from stackgan_tf.training.callbacks.steps import PhaseState

STATE = PhaseState(step=40, steps=9000, tick=500, checkpoint_every=2000, reported=0, progress={}, clock=None)


@pytest.mark.parametrize(
    ('pace', 'last', 'line'),
    [
        (12.8, True, 'tree: about 12 minutes on this machine (205 images/s); for a first look: --steps=1500'),
        (12.8, False, 'tree: about 12 minutes on this machine (205 images/s)'),
        (1.0, True, 'tree: about 149 minutes on this machine (16 images/s)'),  # a tick is longer than a look
        (100.0, True, 'tree: about 90 seconds on this machine (1600 images/s)'),
    ],
)
def test_time_of_a_phase_is_estimated(pace, last, line):
    assert time_estimate('tree', STATE, pace, 16, last) == line


def test_a_resumed_phase_takes_what_is_left():
    late = dataclasses.replace(STATE, step=8900)
    assert time_estimate('tree', late, 10.0, 16, True) == 'tree: about 10 seconds on this machine (160 images/s)'
