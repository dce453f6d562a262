import keras
import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.convolution_block import UpConv
from stackgan_tf.networks.stage_blocks import StageBlock, StageResidualBlock
from stackgan_tf.networks.stage_one import StageOneGenerator

RNG = np.random.default_rng(0)


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
        ({}, 14_264_192),
        ({'residual': False, 'activation': 'relu'}, 10_301_248),
        ({'residual': False, 'activation': 'relu', 'generator_width': 192}, 20_020_832),
    ],
)
def test_released_generators_have_the_released_parameters(options, expected):
    assert parameters(StageOneGenerator(**options), (None, 100)) == expected


def test_released_ablation_of_256_pixels_has_the_blocks_of_64():
    generator, small = StageOneGenerator(size=256, first_map=16), StageOneGenerator()
    assert [block.get_config() for block in generator.blocks if isinstance(block, StageBlock)] == [
        {**block.get_config(), 'name': other.name}
        for block, other in zip(small.blocks, generator.blocks, strict=True)
        if isinstance(block, StageBlock)
    ]
    assert generator.dense.units == 16 * 16 * 1024


@pytest.mark.parametrize('residual', [True, False])
@pytest.mark.parametrize('size', [8, 16, 32])
def test_generator(tmp_path, size, residual):
    def make():
        return StageOneGenerator(
            size=size,
            noise_dimension=5,
            generator_width=8,
            embedding_dimension=7,
            condition_dimension=3,
            residual=residual,
        )

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
    check_layer(
        lambda: StageOneGenerator(size=64, noise_dimension=5, generator_width=4, embedding_dimension=0),
        (normal(4, 5),),
        ((4, 64, 64, 3),),
        tmp_path,
    )
    check_layer(
        lambda: StageOneGenerator(size=64, noise_dimension=5, generator_width=4, embedding_dimension=0, first_map=16),
        (normal(4, 5),),
        ((4, 64, 64, 3),),
        tmp_path,
    )


@pytest.mark.parametrize('residual', [True, False])
def test_each_form_joins_the_condition_in_its_order(residual):
    network = StageOneGenerator(
        size=8, noise_dimension=5, generator_width=2, embedding_dimension=7, condition_dimension=3, residual=residual
    )
    network.build((None, 5))
    condition = slice(3) if residual else slice(5, None)
    kernel = network.dense.kernel.numpy()
    kernel[condition] = 0
    network.dense.kernel.assign(kernel)
    z = normal(2, 5)
    np.testing.assert_array_equal(network.images(z, normal(2, 3)), network.images(z, normal(2, 3)))


def test_bottlenecks_follow_the_first_two_maps():
    blocks = StageOneGenerator(size=64, generator_width=8, embedding_dimension=0).blocks
    assert [type(block) for block in blocks] == [StageResidualBlock, StageBlock, StageResidualBlock, *[StageBlock] * 2]
    ups = [block for block in blocks if isinstance(block, StageBlock)]
    assert [(up.filters, up.activation) for up in ups] == [(32, 'linear'), (16, 'relu'), (8, 'relu')]
    later = StageOneGenerator(size=64, generator_width=32, embedding_dimension=0, residual=False).blocks
    assert [(up.filters, up.activation) for up in later] == [(width, 'relu') for width in (128, 64, 32, 16)]


@pytest.mark.parametrize('first_map', [0, 3, 16, 32])
def test_a_first_map_must_double_to_the_image(first_map):
    with pytest.raises(ValueError, match='does not double to 16 pixels'):
        StageOneGenerator(size=16, first_map=first_map)


def test_initial_weights_are_as_released():
    network = StageOneGenerator(size=16, noise_dimension=100, generator_width=64, embedding_dimension=512)
    network.build((None, 100))
    for layer in (network.dense, network.augment.dense):
        assert np.std(layer.kernel) == pytest.approx(0.02, rel=0.02)
        assert np.abs(layer.kernel).max() > 0.06
        assert not np.any(layer.bias)
    up, conv = network.blocks[1].conv, network.blocks[0].blocks[-1].conv
    assert isinstance(up, UpConv)
    for layer in (up, conv):
        assert np.abs(layer.kernel).max() <= 0.04
        assert np.std(layer.kernel) == pytest.approx(0.02 * 0.8796, rel=0.02)  # of a normal truncated at two deviations


@pytest.mark.parametrize('size', [4, 16])  # the plain form, and the folded one
def test_up_conv_equals_repeating_pixels_and_convolving(size):
    layer = UpConv(2)
    x = normal(1, size, size, 3)
    y = layer(x)
    padded = np.pad(x.repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))  # [1, 2H, 2W, 3, 3, 3]
    np.testing.assert_allclose(y, np.einsum('nhwcij,ijco->nhwo', windows, layer.kernel), atol=1e-5)
    assert layer.compute_output_shape(x.shape) == y.shape


def test_unknown_activation():
    with pytest.raises(ValueError, match="no activation 'gelu': there are linear, relu"):
        StageBlock(2, activation='gelu')
