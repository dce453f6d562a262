import inspect

import pytest

from stackgan_tf.networks.descriptions import NETWORKS
from stackgan_tf.recipe.configurables import CONFIGURABLES


@pytest.mark.parametrize('constructor', [*CONFIGURABLES.values(), *NETWORKS.values()], ids=lambda each: each.__name__)
def test_no_constructor_takes_more_than_fifteen_arguments(constructor):
    named = [each for each in inspect.signature(constructor).parameters.values() if each.kind != each.VAR_KEYWORD]
    assert len(named) <= 15


@pytest.mark.parametrize('network', NETWORKS.values(), ids=lambda each: each.__name__)
def test_networks_take_keywords_alone(network):
    parameters = list(inspect.signature(network.__init__).parameters.values())[1:]
    assert {each.kind for each in parameters} <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
