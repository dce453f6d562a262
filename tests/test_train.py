"""The flags of `stackgan_tf.train`."""

from pathlib import Path

import pytest

from stackgan_tf.system.errors import UserError
from stackgan_tf.train import default_workdir, knob_settings


def test_shorthands_become_settings():
    knobs = {'IMAGE_ROOT': "/my/bird's images", 'STEPS': 5, 'SEED': None}
    assert knob_settings(['TICK = 5'], knobs) == ['TICK = 5', 'IMAGE_ROOT = "/my/bird\'s images"', 'STEPS = 5']


@pytest.mark.parametrize('param', ['STEPS = 5', 'STEPS=5', "IMAGE_ROOT = '/a'", 'IMAGE_ROOT = "/a"'])
def test_both_forms_may_say_the_same(param):
    knob_settings([param], {'STEPS': 5, 'IMAGE_ROOT': '/a'})


def test_both_forms_given_and_different():
    with pytest.raises(UserError, match=r'--steps=5 and --gin_param="STEPS = 50" differ: give one of them'):
        knob_settings(['STEPS = 50'], {'STEPS': 5})


def test_default_workdir():
    assert default_workdir('/any/gin/text/birds.gin') == Path('runs/text/birds')
