import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype('float32')


def stacked(conditional=True):
    stage_two = StageTwoGenerator(
        stage_one_size=8,
        size=16,
        generator_width=4,
        residual_blocks=1,
        embedding_dimension=7,
        condition_dimension=2,
        conditional=conditional,
    )
    return StackedGenerator(
        stage_one=StageOneGenerator(
            size=8, noise_dimension=5, generator_width=4, embedding_dimension=7, condition_dimension=3
        ),
        stage_two=stage_two,
    )


def test_both_stages(tmp_path):
    check_layer(stacked, (normal(4, 5), normal(4, 7), normal(4, 5)), ((4, 8, 8, 3), (4, 16, 16, 3)), tmp_path)
    assert stacked().sizes == (8, 16)
    assert (stacked().condition_dimension, stacked(conditional=False).condition_dimension) == (5, 3)


@pytest.mark.parametrize('conditional', [True, False])
def test_each_stage_has_its_own_noise(conditional):
    network = stacked(conditional)
    z, embedding, noise = normal(2, 5), normal(2, 7), normal(2, network.condition_dimension)
    small, large = network(z, embedding, noise)
    (expected_small,) = network.stage_one(z, embedding, noise[:, :3])
    (expected_large,) = network.stage_two(expected_small, embedding, noise[:, 3:])
    np.testing.assert_allclose(small, expected_small, atol=1e-6)
    np.testing.assert_allclose(large, expected_large, atol=1e-6)
