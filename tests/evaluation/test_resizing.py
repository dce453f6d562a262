"""Both resizes against independent implementations: Pillow's, and TensorFlow 1's formula."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stackgan_tf.evaluation.resizing import clean_resize, legacy_resize

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(('before', 'after'), [(64, 99), (99, 64), (256, 75)])
def test_clean_is_pillows_antialiased_bicubic_on_floats(before, after):
    image = RNG.integers(0, 256, (before, before, 3), np.uint8)
    planes = [Image.fromarray(image[..., i].astype(np.float32)).resize((after, after), Image.BICUBIC) for i in range(3)]
    found = clean_resize(tf.constant(image[None]), after)[0]
    np.testing.assert_allclose(found, np.stack(planes, -1), atol=0.01)


@pytest.mark.parametrize(('before', 'after'), [(64, 99), (99, 64), (256, 75)])
def test_legacy_is_tensorflow_1s_bilinear(before, after):
    """Samples at i * before / after, without the half-pixel offset, between two neighbors; the last one repeats."""
    image = RNG.integers(0, 256, (before, before, 3)).astype(np.float64)
    at = np.arange(after) * (before / after)
    low = np.floor(at).astype(int)
    high, share = np.minimum(low + 1, before - 1), at - low
    rows = image[low] * (1 - share)[:, None, None] + image[high] * share[:, None, None]
    expected = rows[:, low] * (1 - share)[None, :, None] + rows[:, high] * share[None, :, None]
    np.testing.assert_allclose(legacy_resize(tf.constant(image[None]), after)[0], expected, atol=0.01)


def test_they_are_different_functions():
    noise = tf.constant(RNG.integers(0, 256, (1, 256, 256, 3)), tf.uint8)
    assert np.abs(clean_resize(noise, 75) - legacy_resize(noise, 75)).mean() > 10
