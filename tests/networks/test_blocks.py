import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from layer_harness import check_layer

from stackgan_tf.networks import convolution_block
from stackgan_tf.networks.blocks import (
    JointBlock,
    LeakyBlock,
    ResidualBlock,
    UpBlock,
)
from stackgan_tf.networks.convolution_block import UpConv, gated_linear_unit
from stackgan_tf.networks.convolutions import up_convolve


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype('float32')


def test_gated_linear_unit_takes_its_second_half_as_the_gate():
    x = np.array([[2.0, 3.0, 0.0, 100.0]], 'float32')
    np.testing.assert_allclose(gated_linear_unit(x), [[1.0, 3.0]])


@pytest.mark.parametrize('folded', [True, False])
def test_up_block(tmp_path, folded):
    check_layer(lambda: UpBlock(3, folded=folded), (normal(2, 4, 4, 5),), ((2, 8, 8, 3),), tmp_path)


def test_joint_block(tmp_path):
    check_layer(lambda: JointBlock(3), (normal(2, 4, 4, 5), normal(2, 7)), ((2, 4, 4, 3),), tmp_path)


def test_residual_block(tmp_path):
    check_layer(ResidualBlock, (normal(2, 4, 4, 6),), ((2, 4, 4, 6),), tmp_path)


@pytest.mark.parametrize(('strides', 'side'), [(2, 4), (1, 8)])
def test_leaky_block(tmp_path, strides, side):
    check_layer(lambda: LeakyBlock(6, strides=strides), (normal(2, 8, 8, 3),), ((2, side, side, 6),), tmp_path)


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


def test_up_block_folds_by_size(monkeypatch):
    assert UpConv.FOLD_FROM == 16
    calls = []
    monkeypatch.setattr(
        convolution_block,
        'up_convolve',
        lambda x, kernel, folded: calls.append(folded) or up_convolve(x, kernel, folded),
    )
    block = UpBlock(2)
    block.build((1, 16, 16, 2))
    block(normal(1, 16, 16, 2))
    block(normal(1, 8, 8, 2))
    assert calls == [True, False]


def test_kernels_read_the_channels_of_the_vector_first():
    vector, features = normal(2, 5), normal(2, 4, 4, 6)
    joint = JointBlock(4)
    joint.build(features.shape, vector.shape)
    leaky = LeakyBlock(4, strides=1)
    leaky.build((2, 4, 4, 11))
    joined = np.concatenate([np.tile(vector[:, None, None, :], (1, 4, 4, 1)), features], -1)
    h = joint.batch_norm(ops.conv(joined, joint.conv.kernel, padding='same'), training=True)
    np.testing.assert_allclose(joint(features, vector, training=True), gated_linear_unit(h), atol=1e-5)
    np.testing.assert_allclose(leaky(features, vector, training=True), leaky(joined, training=True), atol=1e-5)


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
