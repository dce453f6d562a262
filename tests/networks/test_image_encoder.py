import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.image_encoder import ImageEncoder


def images(size, count=2):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype('float32')


@pytest.mark.parametrize('size', [8, 32])
def test_network(size, tmp_path):
    check_layer(lambda: ImageEncoder(size, 4, 6), (images(size),), ((2, 6),), tmp_path)


def test_parameters():
    network = ImageEncoder(16, 4, 10)
    network.build((None, 16, 16, 3))
    assert network.count_params() == (4 * 4 * 3 * 4 + 4) + (4 * 4 * 4 * 8 + 8) + (16 * 8 * 10 + 10)


def test_sizes_are_checked():
    with pytest.raises(ValueError, match='48'):
        ImageEncoder(48)
