"""`get_config` of every network and block gives the constructor's arguments, which Keras records."""

import inspect
import json

import keras
import pytest
from tiny_backbone import tiny_backbone

from stackgan_tf.networks import image_encoder
from stackgan_tf.networks.blocks import JointBlock, LeakyBlock, ResidualBlock, UpBlock
from stackgan_tf.networks.char_cnn_rnn import GatedRecurrence, ReluRecurrence
from stackgan_tf.networks.conditioning_augmentation import ConditioningAugmentation
from stackgan_tf.networks.convolution_block import UpConv
from stackgan_tf.networks.descriptions import NETWORKS, describe_network, network_of
from stackgan_tf.networks.stage_blocks import StageBlock, StageResidualBlock
from stackgan_tf.networks.tree_generator import FirstBranch, NextBranch

CONDITION = {'embedding_dimension': 7, 'condition_dimension': 3, 'augmentation': False, 'whitening': True}
# Every argument, none at its default; `synchronized` is that of several replicas, which a rebuilt network is not.
SETTINGS = {
    'AttributeClassifierNetwork': {'size': 8, 'choices': (3, 2), 'width': 4},
    'ChannelClassifierNetwork': {'size': 8, 'choices': 4, 'width': 5},
    'BackboneEncoder': {'size': 32, 'backbone': 'MobileNetV2', 'dimension': 6},
    'CharCNNRNN': {
        **{'alphabet': 'bytes', 'widths': (4, 6, 6), 'recurrence': 'relu', 'last_pool': True},
        **{'dimension': 5, 'initial_range': 0.0},
    },
    'ClassClassifierNetwork': {'size': 32, 'backbone': 'MobileNetV2', 'classes': 6},
    'ImageEncoder': {'size': 8, 'width': 4, 'dimension': 6},
    'ScaleDiscriminator': {
        **{'size': 16, 'width': 2, 'normalization': False, 'condition_dimension': 6},
        **{'projection': 5, 'unconditional': False, 'spectral_normalization': True, 'inner_product': True},
    },
    'StageDiscriminator': {
        **{'size': 32, 'width': 2, 'condition_dimension': 6, 'projection': 5, 'joint_kernel': 3},
        **{'residual': False, 'released_linear': True, 'logit_bias': True, 'unconditional': True, 'last_map': 8},
        **{'normalization': False, 'inner_product': True},
    },
    'StageOneGenerator': {
        **{'size': 16, 'noise_dimension': 5, 'generator_width': 8, 'residual': False, 'first_map': 8},
        **{'activation': 'relu', **CONDITION},
    },
    'StageTwoGenerator': {
        **{'stage_one_size': 16, 'size': 32, 'generator_width': 4, 'residual_blocks': 1, 'conditional': False},
        **{'activation': 'relu', **CONDITION},
    },
    'TreeGenerator': {
        **{'sizes': (8, 16), 'noise_dimension': 5, 'generator_width': 8, 'residual_blocks': 1},
        **{'branch_images': 'last_size', 'activation': 'relu', **CONDITION},
    },
}
LAYERS = [
    (ConditioningAugmentation, {'condition_dimension': 3, 'activation': 'relu', 'augmentation': False}),
    (FirstBranch, {'size': 8, 'width': 4, 'synchronized': True}),
    (GatedRecurrence, {'units': 4, 'initial_range': 0.0}),
    (JointBlock, {'filters': 3, 'synchronized': True}),
    (
        LeakyBlock,
        {'filters': 3, 'strides': 1, 'normalize': False, 'synchronized': True, 'spectral_normalization': True},
    ),
    (NextBranch, {'width': 4, 'residual_blocks': 1, 'synchronized': True}),
    (ReluRecurrence, {'units': 4, 'initial_range': 0.0}),
    (ResidualBlock, {'synchronized': True}),
    (
        StageBlock,
        {
            **{'filters': 3, 'kernel': 4, 'strides': 2, 'up': True, 'activation': 'tanh'},
            **{'normalize': False, 'synchronized': True},
        },
    ),
    (StageResidualBlock, {'bottleneck': True, 'activation': 'tanh', 'normalize': False, 'synchronized': True}),
    (UpBlock, {'filters': 3, 'folded': True, 'synchronized': True}),
    (UpConv, {'filters': 3, 'folded': True, 'kernel_initializer': 'zeros'}),
]


def arguments(layer):
    """The parameters of a class's constructor by name, without those of Keras."""
    parameters = list(inspect.signature(layer.__init__).parameters.values())
    return {each.name: each for each in parameters[1:] if each.kind is not inspect.Parameter.VAR_KEYWORD}


def as_in_a_file(config):
    return json.loads(json.dumps(config))


@pytest.mark.parametrize('name', sorted(SETTINGS))
def test_a_described_network_is_built_again_with_the_same_arguments(name, monkeypatch):
    monkeypatch.setitem(image_encoder.BACKBONES, 'MobileNetV2', tiny_backbone)
    parameters, settings = arguments(NETWORKS[name]), SETTINGS[name]
    assert settings.keys() == parameters.keys() - {'synchronized'}
    assert all(parameters[argument].default != value for argument, value in settings.items())
    description = describe_network(NETWORKS[name](**settings))
    assert description['config'].pop('synchronized', False) is False
    assert as_in_a_file(description) == {'class': name, 'config': as_in_a_file(settings)}
    rebuilt = describe_network(network_of(as_in_a_file(description)))
    rebuilt['config'].pop('synchronized', None)
    assert as_in_a_file(rebuilt) == as_in_a_file(description)


def test_every_described_network_is_tested():
    assert NETWORKS.keys() - SETTINGS.keys() == {'StackedGenerator'}  # see tests/networks/test_stacked_generator.py


@pytest.mark.parametrize(('layer', 'settings'), LAYERS)
def test_the_configuration_of_a_layer_has_the_arguments(layer, settings):
    parameters = arguments(layer)
    assert settings.keys() == parameters.keys()
    assert all(parameters[argument].default != value for argument, value in settings.items())
    config = as_in_a_file(layer(**settings).get_config())
    assert {argument: config[argument] for argument in settings} == settings
    assert as_in_a_file(layer.from_config(config).get_config()) == config


@pytest.mark.parametrize('name', sorted(NETWORKS))
def test_networks_take_keyword_arguments_alone(name):
    assert {each.kind for each in arguments(NETWORKS[name]).values()} == {inspect.Parameter.KEYWORD_ONLY}


def test_the_data_type_is_in_the_configuration():
    layer = UpBlock(3, dtype='mixed_bfloat16', name='up')
    copy = UpBlock.from_config(as_in_a_file(layer.get_config()))
    assert (copy.name, copy.dtype_policy, keras.config.dtype_policy().name) == ('up', layer.dtype_policy, 'float32')
