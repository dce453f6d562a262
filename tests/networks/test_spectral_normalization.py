import numpy as np
import pytest
import tensorflow as tf
from layer_harness import check_layer

from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.spectral_normalization import SpectralConv2D


def image(*shape):
    return np.random.default_rng(0).normal(size=shape).astype('float32')


def built(filters=6):
    layer = SpectralConv2D(filters, 4, strides=2, padding='same', use_bias=False)
    layer.build((None, 8, 8, 3))
    layer.kernel.assign(5 * image(*layer.kernel.shape))
    return layer


@pytest.mark.parametrize('filters', [1, 6])
def test_the_kernel_is_divided_by_its_largest_singular_value(filters):
    layer = built(filters)
    for _ in range(100):
        layer.iterate()
    x = image(2, 8, 8, 3)
    largest = np.linalg.svd(layer.kernel.numpy().reshape(-1, filters), compute_uv=False)[0]
    np.testing.assert_allclose(layer(x), tf.nn.conv2d(x, layer.kernel.numpy() / largest, 2, 'SAME'), atol=1e-4)


def test_a_kernel_in_bfloat16_has_norm_one_too():
    layer = built(64)
    for _ in range(100):
        layer.iterate()
    for scale in np.geomspace(1, 2, 8):
        kernel = tf.cast(scale * layer.kernel.value, tf.bfloat16)
        divided = layer.divided(kernel)
        assert divided.dtype == tf.bfloat16
        norm = np.linalg.svd(tf.cast(divided, tf.float32).numpy().reshape(-1, 64), compute_uv=False)[0]
        assert norm == pytest.approx(1, abs=7e-4)


def test_the_norm_of_the_kernel_does_not_matter_and_has_no_gradient():
    layer = built()
    x, towards = image(2, 8, 8, 3), image(2, 4, 4, 6)
    layer.iterate()
    with tf.GradientTape() as tape:
        before = layer(x)
        loss = tf.reduce_sum(before * towards)
    gradient = tape.gradient(loss, layer.kernel.value)
    along = tf.reduce_sum(gradient * layer.kernel) / (tf.norm(gradient) * tf.norm(layer.kernel.value))
    assert abs(float(along)) < 1e-5
    layer.kernel.assign(3 * layer.kernel)
    np.testing.assert_allclose(layer(x), before, atol=1e-4)


def test_a_discriminator_with_spectral_normalization(tmp_path):
    images, conditions = image(2, 16, 16, 3), image(2, 6)

    def make():
        return ScaleDiscriminator(size=16, width=2, condition_dimension=6, spectral_normalization=True)

    network = make()
    network.build(images.shape)
    convolutions = [network.first, network.down[0].conv, network.joint.conv, network.logit, network.conditional_logit]
    assert all(isinstance(layer, SpectralConv2D) for layer in convolutions)
    before = [layer.direction.numpy() for layer in convolutions]
    network(images, conditions, training=False)
    for layer, was in zip(convolutions, before, strict=True):
        np.testing.assert_array_equal(layer.direction, was)
    for layer in convolutions:
        layer.kernel.assign(image(*layer.kernel.shape))
    network(images, conditions, training=True)
    for layer, was in zip(
        convolutions[:3], before, strict=False
    ):  # the heads have a single filter, so a single direction
        assert not np.array_equal(layer.direction, was)
    check_layer(make, (images, conditions), ((2,), (2,)), tmp_path)
