import keras
import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.stage_two import StageTwoGenerator

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype('float32')


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({}, 26_290_080),
        ({'activation': 'relu', 'generator_width': 192, 'residual_blocks': 2}, 37_130_480),
        # Without the text: 9 * 128 * 512 weights of the joining convolution and the conditioning augmentation fewer.
        ({'conditional': False}, 26_290_080 - 589_824 - 262_400),
        ({'embedding_dimension': 0}, 26_290_080 - 589_824 - 262_400),
    ],
)
def test_released_networks_have_the_released_parameters(options, expected):
    network = StageTwoGenerator(**options)
    with keras.StatelessScope(initialize_variables=False):  # allocates and draws no initial values
        network.build((None, 64, 64, 3))
        assert sum(int(np.prod(variable.shape)) for variable in network.trainable_variables) == expected
    keras.utils.clear_session()


@pytest.mark.parametrize(('small', 'size'), [(16, 32), (16, 64), (32, 64)])
def test_generator(tmp_path, small, size):
    def make():
        return StageTwoGenerator(
            stage_one_size=small,
            size=size,
            generator_width=4,
            residual_blocks=1,
            embedding_dimension=7,
            condition_dimension=3,
        )

    image, embedding, noise = normal(2, small, small, 3), normal(2, 7), normal(2, 3)
    check_layer(make, (image, embedding, noise), ((2, size, size, 3),), tmp_path)
    network = make()
    network.build(image.shape)
    c, mu, _ = network.augment(network.read(embedding), 0 * noise)
    np.testing.assert_array_equal(c, mu)
    np.testing.assert_allclose(network(image, embedding, 0 * noise)[0], network.images(image, mu)[0], atol=1e-6)
    assert (network.images(image, mu)[0].numpy() != network.images(image, -mu)[0].numpy()).any()
    assert network.sizes == (size,)
    assert network.compute_output_shape((2, small, small, 3)) == ((2, size, size, 3),)


@pytest.mark.parametrize(('small', 'size'), [(32, 128), (64, 128), (64, 256)])
def test_larger_sizes(small, size):
    network = StageTwoGenerator(
        stage_one_size=small, size=size, generator_width=2, residual_blocks=1, embedding_dimension=0
    )
    assert network(normal(1, small, small, 3))[0].shape == (1, size, size, 3)


@pytest.mark.parametrize('options', [{'embedding_dimension': 0}, {'embedding_dimension': 7, 'conditional': False}])
def test_unconditional_generator(tmp_path, options):
    def make():
        return StageTwoGenerator(stage_one_size=8, size=32, generator_width=4, residual_blocks=1, **options)

    assert make().embedding_dimension == make().condition_dimension == 0
    check_layer(make, (normal(2, 8, 8, 3),), ((2, 32, 32, 3),), tmp_path)
    network = make()
    image = normal(2, 8, 8, 3)
    np.testing.assert_array_equal(network(image)[0], network(image, normal(2, 7), normal(2, 3))[0])


@pytest.mark.parametrize(
    ('small', 'size', 'width', 'expected'),
    [(64, 256, 128, [256, 128, 64, 32]), (64, 128, 128, [256, 128, 64]), (16, 64, 16, [32, 16, 8, 8])],
)
def test_widths_halve_and_never_go_under_eight(small, size, width, expected):
    network = StageTwoGenerator(stage_one_size=small, size=size, generator_width=width)
    assert [block.filters for block in network.encode] == [width, 2 * width, 4 * width]
    assert [block.filters for block in network.up] == expected
    assert len(network.refine) == 4


@pytest.mark.parametrize('size', [64, 48, 512])
def test_the_size_must_be_two_or_four_times_that_of_stage_one(size):
    with pytest.raises(ValueError, match=f'makes 128 or 256 pixels of the 64 of Stage-I, not {size}'):
        StageTwoGenerator(stage_one_size=64, size=size)
