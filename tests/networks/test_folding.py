import keras
import numpy as np
import pytest

from stackgan_tf.networks.folding import folded
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator


def tree():
    return TreeGenerator(
        sizes=(8, 16, 32),
        noise_dimension=6,
        generator_width=8,
        residual_blocks=1,
        embedding_dimension=7,
        condition_dimension=3,
    )


def stage_one(residual=True):
    return StageOneGenerator(
        size=32, noise_dimension=6, generator_width=4, embedding_dimension=7, condition_dimension=3, residual=residual
    )


def stacked():
    return StackedGenerator(
        stage_one=stage_one(),
        stage_two=StageTwoGenerator(
            stage_one_size=32,
            size=64,
            generator_width=4,
            residual_blocks=1,
            embedding_dimension=7,
            condition_dimension=3,
        ),
    )


@pytest.mark.parametrize('make', [tree, stage_one, lambda: stage_one(residual=False), stacked])
def test_a_folded_generator_makes_the_same_images(make):
    keras.utils.set_random_seed(0)
    network = make()
    network.build((None, 6))
    rng = np.random.default_rng(0)
    for variable in network.variables:  # as after training: no initial values
        name = variable.path.split('/')[-1]
        if name in ('gamma', 'beta', 'moving_mean', 'moving_variance', 'bias'):
            variable.assign(rng.uniform(0.3, 1.2, variable.shape))
    before = [variable.numpy().copy() for variable in network.variables]
    inputs = [rng.normal(size=(2, n)).astype('float32') for n in (6, 7, network.condition_dimension)]
    images = network(*inputs, training=False)
    copy = folded(network)
    for image, folded_image in zip(images, copy(*inputs, training=False), strict=True):
        assert float(np.std(image)) > 0.005
        np.testing.assert_allclose(folded_image, image, atol=2e-5)
    for variable, value in zip(network.variables, before, strict=True):  # the network itself does not change
        np.testing.assert_array_equal(variable, value)
    names = {variable.path.split('/')[-1] for variable in copy.variables}
    assert not names & {'gamma', 'moving_mean', 'moving_variance'}
    shapes = [variable.shape for variable in copy.variables if variable.path.endswith('folded_kernel')]
    assert shapes
    assert all(shape[:2] == (4, 4) for shape in shapes)
