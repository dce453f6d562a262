import pytest

from stackgan_tf.recipe.knobs import knob_settings
from stackgan_tf.system.errors import UserError


def test_shorthands_become_settings():
    flags = {'images': "/my/bird's images", 'steps': 5, 'seed': None}
    assert knob_settings(['TICK = 5'], flags) == ['TICK = 5', 'IMAGE_ROOT = "/my/bird\'s images"', 'STEPS = 5']


@pytest.mark.parametrize('param', ['STEPS = 5', 'STEPS=5', "IMAGE_ROOT = '/a'", 'IMAGE_ROOT = "/a"'])
def test_both_forms_may_say_the_same(param):
    knob_settings([param], {'steps': 5, 'images': '/a'})


def test_both_forms_given_and_different():
    with pytest.raises(UserError, match=r'--steps=5 and --gin_param="STEPS = 50" differ: give one of them'):
        knob_settings(['STEPS = 50'], {'steps': 5})
