"""Statistics of a reference are cached by its content."""

import numpy as np
import pytest
from drawn_images import Given, noise
from feature_extractors import MeanColours

from stackgan_tf.evaluation.reference_cache import reference_statistics

IMAGES = noise(40)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path))
    return tmp_path


def measure(images, extractor=None, seed=0, small=False, title='some images'):
    """The number of images whose features were extracted, and the statistics."""
    extractor = extractor or MeanColours()
    found = reference_statistics(Given(images, title=title), extractor, seed, small)
    return extractor.extracted, found


def test_the_second_call_reads_the_same_statistics_from_the_cache():
    before, first = measure(IMAGES, small=True)
    after, second = measure(IMAGES, small=True)
    assert (before, after) == (80, 0)
    np.testing.assert_array_equal(first.gaussian.covariance, second.gaussian.covariance)
    np.testing.assert_array_equal(first.small.mean, second.small.mean)
    np.testing.assert_array_equal(first.kept, second.kept)
    assert (first.inception, first.similarity, first.content) == (second.inception, second.similarity, second.content)


def test_the_cache_depends_on_content_and_not_on_names():
    measure(IMAGES)
    assert measure(IMAGES.copy(), title='others')[0] == 40  # the folder's name, which is for people, contains the title
    changed = IMAGES.copy()
    changed[-1, -1, -1, -1] ^= 1
    assert measure(changed)[0] == 40
    assert measure(changed)[1].content != measure(IMAGES)[1].content


@pytest.mark.parametrize(
    'other',
    [
        {'extractor': MeanColours(fingerprint='others')},
        {'extractor': MeanColours(resize='legacy')},
        {'seed': 1},
        {'small': True},
    ],
)
def test_other_settings_are_measured_again(other):
    measure(IMAGES)
    assert measure(IMAGES, **other)[0] >= 40


def test_a_broken_file_is_written_again(cache):
    measure(IMAGES)
    (file,) = cache.rglob('statistics.npz')
    file.write_bytes(file.read_bytes()[:100])
    assert measure(IMAGES)[0] == 40
    assert measure(IMAGES)[0] == 0
