"""Multi-scale structural similarity against its formula in NumPy."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from stackgan_tf.metrics.ms_ssim import ms_ssim, pair_similarities, weights_for

RNG = np.random.default_rng(0)


def blurred(image):
    """The mean under a Gaussian window of 11 pixels and deviation 1.5, where it fits."""
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    for axis in (0, 1):
        image = correlate1d(image, window / window.sum(), axis=axis, mode='constant')
    return image[5:-5, 5:-5]


def similarity(x, y, weights):
    """Wang et al. (2003): contrast and structure at every scale, luminance at the last; by channel, then the mean."""
    product = np.ones(3)
    for scale, weight in enumerate(weights):
        mx, my = blurred(x), blurred(y)
        vx, vy, vxy = blurred(x * x) - mx**2, blurred(y * y) - my**2, blurred(x * y) - mx * my
        contrast = (2 * vxy + (0.03 * 255) ** 2) / (vx + vy + (0.03 * 255) ** 2)
        luminance = (2 * mx * my + (0.01 * 255) ** 2) / (mx**2 + my**2 + (0.01 * 255) ** 2)
        last = scale == len(weights) - 1
        value = (contrast * luminance if last else contrast).mean((0, 1))
        product *= np.maximum(value, 0) ** weight
        x, y = (each.reshape(len(each) // 2, 2, len(each) // 2, 2, 3).mean((1, 3)) for each in (x, y))
    return product.mean()


def test_against_the_formula():
    images = RNG.integers(0, 256, (6, 64, 64, 3)).astype(np.uint8)
    images[1::2] = np.clip(images[0::2] * 0.6 + 0.4 * images[1::2], 0, 255)
    expected = [similarity(images[i].astype(float), images[i + 1].astype(float), weights_for(64)) for i in (0, 2, 4)]
    np.testing.assert_allclose(pair_similarities(images), expected, rtol=1e-4)
    assert 0.3 < expected[0] < 0.95


@pytest.mark.parametrize(('size', 'scales'), [(8, 1), (16, 1), (32, 2), (64, 3), (128, 4), (256, 5), (512, 5)])
def test_small_images_have_fewer_scales(size, scales):
    assert len(weights_for(size)) == scales
    assert sum(weights_for(size)) == pytest.approx(1)
    same = np.repeat(RNG.integers(0, 256, (1, size, size, 3), np.uint8), 2, axis=0)
    assert pair_similarities(same) == pytest.approx(1)


def test_repeated_images_are_similar_and_noise_is_not():
    noise = RNG.integers(0, 256, (120, 16, 16, 3), np.uint8)
    assert ms_ssim(np.repeat(noise[:1], 120, axis=0)).value == pytest.approx(1)
    score = ms_ssim(noise)
    assert score.value < 0.2
    assert score.count == 60
