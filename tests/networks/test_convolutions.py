import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.networks.convolutions import convolve_joined


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype('float32')


@pytest.mark.parametrize(('taps', 'height', 'width'), [(1, 4, 4), (3, 3, 3), (3, 4, 9)])
def test_convolve_joined_equals_convolving_the_tiled_vector_in_value_and_gradient(taps, height, width):
    inputs = [normal(2, 5), normal(taps, taps, 5, 4), normal(2, height, width, 6), normal(taps, taps, 6, 4)]
    inputs = [tf.constant(array) for array in inputs]

    def tiled(vector, vector_kernel, features, features_kernel):
        joined = tf.concat([tf.tile(vector[:, None, None], (1, height, width, 1)), features], -1)
        return tf.nn.conv2d(joined, tf.concat([vector_kernel, features_kernel], 2), 1, 'SAME')

    results = []
    for form in (convolve_joined, tiled):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = form(*inputs)
            loss = tf.reduce_sum(y * normal(*y.shape, seed=1))
        results.append([y, *tape.gradient(loss, inputs)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
