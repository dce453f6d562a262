"""Statistics of a reference are kept under its content."""

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


def seen(images, network=None, seed=0, small=False, title='some pictures'):
    """How many pictures the network had to see, and the statistics."""
    network = network or MeanColours()
    found = reference_statistics(Given(images, title=title), network, seed, small)
    return network.seen, found


def test_the_second_time_nothing_is_computed_and_it_is_the_same():
    before, first = seen(IMAGES, small=True)
    after, second = seen(IMAGES, small=True)
    assert (before, after) == (80, 0)
    np.testing.assert_array_equal(first.gaussian.covariance, second.gaussian.covariance)
    np.testing.assert_array_equal(first.small.mean, second.small.mean)
    np.testing.assert_array_equal(first.kept, second.kept)
    assert (first.inception, first.similarity, first.content) == (second.inception, second.similarity, second.content)


def test_names_do_not_count_and_content_does():
    seen(IMAGES)
    assert seen(IMAGES.copy(), title='others')[0] == 40  # a folder for people's eyes has the name in it
    changed = IMAGES.copy()
    changed[-1, -1, -1, -1] ^= 1
    assert seen(changed)[0] == 40
    assert seen(changed)[1].content != seen(IMAGES)[1].content


@pytest.mark.parametrize(
    'other',
    [
        {'network': MeanColours(fingerprint='others')},
        {'network': MeanColours(resize='legacy')},
        {'seed': 1},
        {'small': True},
    ],
)
def test_whatever_it_depends_on_makes_it_anew(other):
    seen(IMAGES)
    assert seen(IMAGES, **other)[0] >= 40


def test_a_broken_file_is_made_anew(cache):
    seen(IMAGES)
    (file,) = cache.rglob('statistics.npz')
    file.write_bytes(file.read_bytes()[:100])
    assert seen(IMAGES)[0] == 40
    assert seen(IMAGES)[0] == 0
