import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from layer_harness import check_layer

from stackgan_tf.networks.blocks import JointBlock, LeakyBlock, ResidualBlock, UpBlock, gated_linear_unit


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype('float32')


def test_the_second_half_is_the_gate():
    x = np.array([[2.0, 3.0, 0.0, 100.0]], 'float32')
    np.testing.assert_allclose(gated_linear_unit(x), [[1.0, 3.0]])


@pytest.mark.parametrize('folded', [True, False])
def test_up_block(tmp_path, folded):
    check_layer(lambda: UpBlock(3, folded=folded), (normal(2, 4, 4, 5),), ((2, 8, 8, 3),), tmp_path)


def test_joint_block(tmp_path):
    check_layer(lambda: JointBlock(3), (normal(2, 7), normal(2, 4, 4, 5)), ((2, 4, 4, 3),), tmp_path)


def test_residual_block(tmp_path):
    check_layer(ResidualBlock, (normal(2, 4, 4, 6),), ((2, 4, 4, 6),), tmp_path)


@pytest.mark.parametrize(('strides', 'side'), [(2, 4), (1, 8)])
def test_leaky_block(tmp_path, strides, side):
    check_layer(lambda: LeakyBlock(6, strides), (normal(2, 8, 8, 3),), ((2, side, side, 6),), tmp_path)


@pytest.mark.parametrize('size', [1, 4, 16])
def test_folded_up_block_equals_the_plain_one_in_value_and_gradient(size):
    x = tf.constant(normal(2, size, size, 6))
    results = []
    weights = None
    for folded in (True, False):
        block = UpBlock(5, folded=folded)
        block.build(x.shape)
        if weights is None:
            weights = block.get_weights()
        block.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = block(x, training=True)
            loss = tf.reduce_sum(y * normal(*y.shape, seed=1))
        results.append([y, *tape.gradient(loss, [x, *block.trainable_variables])])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4)


def test_up_block_folds_by_size():
    assert UpBlock.FOLD_FROM == 16
    calls = []
    block = UpBlock(2)
    block.build((1, 16, 16, 2))
    block._convolve_folded = lambda x: calls.append('folded') or UpBlock._convolve_folded(block, x)
    block._convolve_plain = lambda x: calls.append('plain') or UpBlock._convolve_plain(block, x)
    block(normal(1, 16, 16, 2))
    block(normal(1, 8, 8, 2))
    assert calls == ['folded', 'plain']


@pytest.mark.parametrize('size', [3, 4, 9])
def test_joint_block_equals_convolving_the_tiled_vector(size):
    vector, features = normal(2, 5), normal(2, size, size, 6)
    block = JointBlock(4)
    block.build(vector.shape, features.shape)
    tiled = np.tile(vector[:, None, None, :], (1, size, size, 1))
    h = ops.conv(np.concatenate([tiled, features], -1), block.kernel, padding='same')
    expected = gated_linear_unit(block.batch_norm(h, training=True))
    np.testing.assert_allclose(block(vector, features, training=True), expected, atol=1e-5)


def test_residual_block_adds_without_activation():
    x = normal(2, 4, 4, 6)
    block = ResidualBlock()
    block.build(x.shape)
    block.second_norm.gamma.assign(np.zeros(6))
    np.testing.assert_array_equal(block(x, training=True), x)


def test_kernels_start_orthogonal():
    block = LeakyBlock(4)
    block.build((1, 8, 8, 3))
    kernel = ops.convert_to_numpy(block.conv.kernel).reshape(-1, 4)
    np.testing.assert_allclose(kernel.T @ kernel, np.eye(4), atol=1e-5)


def test_batch_normalization_has_the_released_constants():
    norm = UpBlock(2).batch_norm
    assert isinstance(norm, keras.layers.BatchNormalization)
    assert (norm.momentum, norm.epsilon) == (0.9, 1e-5)
