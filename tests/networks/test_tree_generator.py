import keras
import numpy as np
import pytest
import tensorflow as tf
from layer_harness import check_layer

from stackgan_tf.networks.tree_generator import TreeGenerator


def trainable(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def built(**settings):
    network = TreeGenerator(**settings)
    network.build((None, network.noise_dimension))
    return network


def test_released_network_has_the_released_parameters():
    network = built(sizes=(64, 128, 256), noise_dimension=100, generator_width=64)
    assert trainable(network) == 16_472_208
    assert trainable(network.first_branch) == 15_879_936
    assert [trainable(branch) for branch in network.next_branches] == [448_128, 141_120]
    assert [trainable(layer) for layer in network.to_image] == [1_728, 864, 432]


def test_released_conditional_network_has_the_released_parameters():
    network = built(sizes=(64, 128, 256), noise_dimension=100, generator_width=64, embedding_dimension=1024)
    assert trainable(network) == 21_239_696
    assert trainable(network.augment) == 524_800
    assert trainable(network.first_branch) == 20_074_240
    assert [trainable(branch) for branch in network.next_branches] == [480_384, 157_248]


@pytest.mark.parametrize(
    ('sizes', 'parameters'),
    [((64,), 20_600_768), ((64, 128), 21_082_016), ((64, 128, 256, 512), 21_297_800)],
)
def test_fewer_and_more_branches(sizes, parameters, monkeypatch):
    # The release has 21,290,792 in four: its last branch has one residual block, 7,008, where the others have two.
    monkeypatch.setattr(keras.initializers, 'Orthogonal', keras.initializers.Zeros)
    assert trainable(built(sizes=sizes, embedding_dimension=1024)) == parameters


def test_conditional_network(tmp_path):
    rng = np.random.default_rng(0)
    z, embedding, noise = (rng.normal(size=(2, length)).astype('float32') for length in (5, 7, 3))
    shapes = ((2, 8, 8, 3), (2, 16, 16, 3))

    def make():
        return TreeGenerator(
            sizes=(8, 16),
            noise_dimension=5,
            generator_width=8,
            residual_blocks=1,
            embedding_dimension=7,
            condition_dimension=3,
        )

    check_layer(make, (z, embedding, noise), shapes, tmp_path)
    network = make()
    network.build(z.shape)
    c, mu, _ = network.augment(embedding, 0 * noise)
    np.testing.assert_array_equal(c, mu)
    for one, other in zip(network(z, embedding, 0 * noise), network.images(z, mu), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize('sizes', [(8,), (32,), (8, 16), (8, 16, 32, 64, 128)])
def test_one_to_five_scales(tmp_path, sizes):
    z = np.random.default_rng(0).normal(size=(2, 5)).astype('float32')
    shapes = tuple((2, size, size, 3) for size in sizes)
    check_layer(
        lambda: TreeGenerator(sizes=sizes, noise_dimension=5, generator_width=8, residual_blocks=1),
        (z,),
        shapes,
        tmp_path,
    )


@pytest.mark.parametrize(('branch_images', 'images'), [('last_size', 3), ('last_alone', 1)])
def test_tree_with_images_of_the_last_size_alone(tmp_path, branch_images, images):
    z = np.random.default_rng(0).normal(size=(2, 5)).astype('float32')

    def make():
        return built(
            sizes=(8, 16, 32), noise_dimension=5, generator_width=8, residual_blocks=1, branch_images=branch_images
        )

    network, whole = make(), built(sizes=(8, 16, 32), noise_dimension=5, generator_width=8, residual_blocks=1)
    assert network.image_sizes == (32,) * images
    assert network.sizes == (32,)
    assert trainable(whole) - trainable(network) == (3 - images) * 3 * 9 * 8  # the layers of the missing images
    made = network.images(z)
    assert [image.shape for image in made] == [(2, 32, 32, 3)] * images
    np.testing.assert_array_equal(network(z)[0], made[-1])
    copy = TreeGenerator.from_config(network.get_config())
    assert (copy.branch_sizes, copy.image_sizes) == ((8, 16, 32), network.image_sizes)
    with tf.GradientTape() as tape:
        loss = sum(tf.reduce_sum(image * image) for image in network.images(z, training=True))
    assert all(gradient is not None for gradient in tape.gradient(loss, network.trainable_variables))


def test_smaller_features_are_enlarged_before_their_image():
    network = built(sizes=(8, 16), noise_dimension=4, generator_width=8, branch_images='last_size')
    z = np.random.default_rng(0).normal(size=(1, 4)).astype('float32')
    h = network.first_branch(z).numpy()
    enlarged = np.kron(h[0].transpose(2, 0, 1), np.ones((2, 2))).transpose(1, 2, 0)[None]
    expected = np.tanh(network.to_image[0](enlarged.astype('float32')))
    np.testing.assert_allclose(network.images(z)[0], expected, atol=1e-6)


def test_unknown_branch_images():
    with pytest.raises(ValueError, match="branch_images = 'last' must be 'own_size' or 'last_size' or 'last_alone'"):
        TreeGenerator(sizes=(8, 16), branch_images='last')


def test_images_stay_within_one():
    images = built(sizes=(8, 16), noise_dimension=4, generator_width=8)(100 * np.ones((3, 4), 'float32'))
    assert all(float(abs(image).numpy().max()) <= 1 for image in images)


def test_branches_halve_and_never_go_under_eight():
    network = built(sizes=(8, 16, 32, 64), noise_dimension=4, generator_width=16)
    assert [branch.width for branch in network.next_branches] == [8, 8, 8]


def test_first_branch_ends_at_the_generator_width():
    network = built(sizes=(64,), noise_dimension=4, generator_width=8)
    assert [block.filters for block in network.first_branch.up] == [64, 32, 16, 8]


def test_the_generator_is_deterministic():
    network = built(sizes=(8, 16), noise_dimension=4, generator_width=8)
    z = np.ones((2, 4), 'float32')
    for one, other in zip(network(z, training=False), network(z, training=False), strict=True):
        np.testing.assert_array_equal(one, other)
