import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype('float32')


def stacked(condition=True):
    return StackedGenerator(StageOneGenerator(8, 5, 4, 7, 3), StageTwoGenerator(8, 16, 4, 1, 7, 2, condition=condition))


def test_both_stages(tmp_path):
    check_layer(stacked, (normal(4, 5), normal(4, 7), normal(4, 5)), ((4, 8, 8, 3), (4, 16, 16, 3)), tmp_path)
    assert (stacked().sizes, stacked().condition_dimension, stacked(condition=False).condition_dimension) == (
        (8, 16),
        5,
        3,
    )


@pytest.mark.parametrize('condition', [True, False])
def test_each_stage_has_its_own_noise(condition):
    network = stacked(condition)
    z, embedding, noise = normal(2, 5), normal(2, 7), normal(2, network.condition_dimension)
    small, large = network(z, embedding, noise)
    (of_one,) = network.stage_one(z, embedding, noise[:, :3])
    (of_two,) = network.stage_two(of_one, embedding, noise[:, 3:])
    np.testing.assert_allclose(small, of_one, atol=1e-6)
    np.testing.assert_allclose(large, of_two, atol=1e-6)
