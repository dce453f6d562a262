import keras
import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.stage_discriminator import StageDiscriminator

RNG = np.random.default_rng(0)
# The released code for COCO.
LATER = {'joint_kernel': 3, 'residual': False, 'logit_bias': True, 'condition_dimension': 128, 'projection': 0}


def normal(*shape):
    return RNG.normal(size=shape).astype('float32')


def parameters(network, shape):
    """Counts trainable parameters; the scope allocates and draws none of them."""
    with keras.StatelessScope(initialize_variables=False):
        network.build(shape)
        count = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
    keras.utils.clear_session()
    return count


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({}, 4_029_824),
        ({'size': 256}, 48_603_520),
        (LATER, 5_715_713),
        ({**LATER, 'width': 96}, 12_407_425),
        ({**LATER, 'size': 256, 'unconditional': True}, 71_269_122),
        ({**LATER, 'size': 256, 'unconditional': True, 'width': 96}, 159_889_538),
    ],
)
def test_released_networks_have_the_released_parameters(options, expected):
    network = StageDiscriminator(**options)
    assert parameters(network, (None, network.size, network.size, 3)) == expected


def test_released_ablation_of_256_pixels_has_the_widths_of_64():
    discriminator = StageDiscriminator(size=256, last_map=16)
    assert [block.filters for block in discriminator.blocks] == [64, 128, 256, 512]
    assert parameters(discriminator, (None, 256, 256, 3)) == 4_029_824 + (16 * 16 - 4 * 4) * 512


@pytest.mark.parametrize(
    ('size', 'options'),
    [
        (8, {}),
        (16, {'normalization': False}),
        (64, {'released_linear': True}),
        (64, {'last_map': 16}),
        (128, {'projection': 0}),
        (128, {**LATER, 'condition_dimension': 6}),
    ],
)
def test_conditional_discriminator(tmp_path, size, options):
    images, condition = normal(2, size, size, 3), normal(2, 6)

    def make():
        return StageDiscriminator(size=size, width=2, **{'condition_dimension': 6, 'projection': 5, **options})

    check_layer(make, (images, condition), ((2,),), tmp_path)
    network = make()
    network.build(images.shape)
    features = network.features(images)
    np.testing.assert_array_equal(network(images, condition), network.conditional_logits(features, condition))
    assert (
        network.conditional_logits(features, condition).numpy()
        != network.conditional_logits(features, -condition).numpy()
    ).all()


def test_discriminator_with_both_heads(tmp_path):
    def make():
        return StageDiscriminator(size=32, width=2, condition_dimension=6, unconditional=True)

    check_layer(make, (normal(2, 32, 32, 3), normal(2, 6)), ((2,), (2,)), tmp_path)


@pytest.mark.parametrize('options', [{}, {'residual': False, 'normalization': False}])
def test_unconditional_discriminator(tmp_path, options):
    network = StageDiscriminator(size=32, width=2, condition_dimension=0, **options)
    assert network.unconditional
    check_layer(
        lambda: StageDiscriminator(size=32, width=2, condition_dimension=0, **options),
        (normal(2, 32, 32, 3),),
        ((2,),),
        tmp_path,
    )


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({}, 'aaal'),
        ({'released_linear': True}, 'aall'),
        ({'residual': False}, 'aaaa'),
        ({'size': 256}, 'aaaaaaal'),
        ({'size': 8}, 'a'),
        ({'size': 16, 'released_linear': True}, 'al'),
    ],
)
def test_activations_of_the_blocks(options, expected):
    blocks = StageDiscriminator(**{'width': 2, **options}).blocks
    assert ''.join('l' if block.activation == 'linear' else 'a' for block in blocks) == expected
    assert [block.batch_norm is not None for block in blocks] == [False] + [True] * (len(blocks) - 1)
