import keras
import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.stage_blocks import StageBlock, StageResidualBlock, UpConv
from stackgan_tf.networks.stage_one import StageDiscriminator, StageOneGenerator

RNG = np.random.default_rng(0)
# The released code for COCO.
LATER = {'joint_kernel': 3, 'residual': False, 'logit_bias': True, 'condition_dimension': 128, 'projection': 0}


def normal(*shape):
    return RNG.normal(size=shape).astype('float32')


def parameters(network, shape):
    """How many a network has, which in this scope takes no memory and no time to draw them."""
    with keras.StatelessScope(initialize_variables=False):
        network.build(shape)
        count = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
    keras.utils.clear_session()
    return count


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({}, 14_264_192),
        ({'residual': False, 'conditioning': 'relu'}, 10_301_248),
        ({'residual': False, 'conditioning': 'relu', 'base_width': 192}, 20_020_832),
    ],
)
def test_released_generators_have_the_released_parameters(options, expected):
    assert parameters(StageOneGenerator(**options), (None, 100)) == expected


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({}, 4_029_824),
        ({'size': 256}, 48_603_520),
        (LATER, 5_715_713),
        ({**LATER, 'base_width': 96}, 12_407_425),
        ({**LATER, 'size': 256, 'unconditional': True}, 71_269_122),
        ({**LATER, 'size': 256, 'unconditional': True, 'base_width': 96}, 159_889_538),
    ],
)
def test_released_discriminators_have_the_released_parameters(options, expected):
    network = StageDiscriminator(**options)
    assert parameters(network, (None, network.size, network.size, 3)) == expected


def test_released_ablation_of_256_pixels_has_the_steps_of_64():
    generator, small = StageOneGenerator(256, first_map=16), StageOneGenerator()
    assert [block.get_config() for block in generator.blocks if isinstance(block, StageBlock)] == [
        {**block.get_config(), 'name': other.name}
        for block, other in zip(small.blocks, generator.blocks, strict=True)
        if isinstance(block, StageBlock)
    ]
    assert generator.dense.units == 16 * 16 * 1024
    discriminator = StageDiscriminator(256, last_map=16)
    assert [block.filters for block in discriminator.blocks] == [64, 128, 256, 512]
    assert parameters(discriminator, (None, 256, 256, 3)) == 4_029_824 + (16 * 16 - 4 * 4) * 512


@pytest.mark.parametrize('residual', [True, False])
@pytest.mark.parametrize('size', [8, 16, 32])
def test_generator(tmp_path, size, residual):
    def make():
        return StageOneGenerator(size, 5, 8, 7, 3, residual=residual)

    z, embedding, noise = normal(4, 5), normal(4, 7), normal(4, 3)
    check_layer(make, (z, embedding, noise), ((4, size, size, 3),), tmp_path)
    network = make()
    network.build(z.shape)
    c, mu, _ = network.augment(network.read(embedding), 0 * noise)
    np.testing.assert_array_equal(c, mu)
    np.testing.assert_allclose(network(z, embedding, 0 * noise)[0], network.images(z, mu)[0], atol=1e-6)
    assert network.sizes == (size,)
    assert network.compute_output_shape((4, 5)) == ((4, size, size, 3),)


def test_generator_without_embeddings_or_from_a_larger_first_map(tmp_path):
    check_layer(lambda: StageOneGenerator(64, 5, 4, 0), (normal(4, 5),), ((4, 64, 64, 3),), tmp_path)
    check_layer(lambda: StageOneGenerator(64, 5, 4, 0, first_map=16), (normal(4, 5),), ((4, 64, 64, 3),), tmp_path)


@pytest.mark.parametrize('residual', [True, False])
def test_each_form_joins_the_condition_in_its_order(residual):
    network = StageOneGenerator(8, 5, 2, 7, 3, residual=residual)
    network.build((None, 5))
    condition = slice(3) if residual else slice(5, None)
    kernel = network.dense.kernel.numpy()
    kernel[condition] = 0
    network.dense.kernel.assign(kernel)
    z = normal(2, 5)
    np.testing.assert_array_equal(network.images(z, normal(2, 3)), network.images(z, normal(2, 3)))


def test_bottlenecks_stand_on_the_first_two_maps_after_a_linear_step():
    blocks = StageOneGenerator(64, base_width=8, embedding_dimension=0).blocks
    assert [type(block) for block in blocks] == [StageResidualBlock, StageBlock, StageResidualBlock, *[StageBlock] * 2]
    ups = [block for block in blocks if isinstance(block, StageBlock)]
    assert [(up.filters, up.activation) for up in ups] == [(32, 'linear'), (16, 'relu'), (8, 'relu')]
    later = StageOneGenerator(64, base_width=32, embedding_dimension=0, residual=False).blocks
    assert [(up.filters, up.activation) for up in later] == [(width, 'relu') for width in (128, 64, 32, 16)]


@pytest.mark.parametrize('first_map', [0, 3, 16, 32])
def test_a_first_map_must_double_to_the_image(first_map):
    with pytest.raises(ValueError, match='does not double to 16 pixels'):
        StageOneGenerator(16, first_map=first_map)


@pytest.mark.parametrize(
    ('size', 'options'),
    [
        (8, {}),
        (16, {'normalize': False}),
        (64, {'released_linear': True}),
        (64, {'last_map': 16}),
        (128, {'projection': 0}),
        (128, {**LATER, 'condition_dimension': 6}),
    ],
)
def test_discriminator_of_matches(tmp_path, size, options):
    images, condition = normal(2, size, size, 3), normal(2, 6)

    def make():
        return StageDiscriminator(size, 2, **{'condition_dimension': 6, 'projection': 5, **options})

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
        return StageDiscriminator(32, 2, 6, unconditional=True)

    check_layer(make, (normal(2, 32, 32, 3), normal(2, 6)), ((2,), (2,)), tmp_path)


@pytest.mark.parametrize('options', [{}, {'residual': False, 'normalize': False}])
def test_discriminator_that_is_told_nothing(tmp_path, options):
    network = StageDiscriminator(32, 2, 0, **options)
    assert network.unconditional
    check_layer(lambda: StageDiscriminator(32, 2, 0, **options), (normal(2, 32, 32, 3),), ((2,),), tmp_path)


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
def test_where_the_discriminator_is_linear(options, expected):
    blocks = StageDiscriminator(**{'base_width': 2, **options}).blocks
    assert ''.join('l' if block.activation == 'linear' else 'a' for block in blocks) == expected
    assert [block.normalize for block in blocks] == [False] + [True] * (len(blocks) - 1)


def test_everything_starts_as_released():
    network = StageOneGenerator(16, 100, 64, 512)
    network.build((None, 100))
    for layer in (network.dense, network.augment.dense):
        assert np.std(layer.kernel) == pytest.approx(0.02, rel=0.02)
        assert np.abs(layer.kernel).max() > 0.06
        assert not np.any(layer.bias)
    up, conv = network.blocks[1].conv, network.blocks[0].blocks[-1].conv
    assert isinstance(up, UpConv)
    for layer in (up, conv):
        assert np.abs(layer.kernel).max() <= 0.04
        assert np.std(layer.kernel) == pytest.approx(0.02 * 0.8796, rel=0.02)  # of a normal cut at two deviations


@pytest.mark.parametrize('size', [4, 16])  # convolved plainly, and folded
def test_up_conv_repeats_every_pixel_and_convolves(size):
    layer = UpConv(2)
    x = normal(1, size, size, 3)
    found = layer(x)
    padded = np.pad(x.repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))  # [1, 2H, 2W, 3, 3, 3]
    np.testing.assert_allclose(found, np.einsum('nhwcij,ijco->nhwo', windows, layer.kernel), atol=1e-5)
    assert layer.compute_output_shape(x.shape) == found.shape


def test_activations_are_known_by_name():
    with pytest.raises(ValueError, match="no activation 'gelu': there are linear, relu"):
        StageBlock(2, activation='gelu')
