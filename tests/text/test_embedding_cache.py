import types

import numpy as np
import pytest
import tensorflow as tf
from captioned import WordEncoder

from stackgan_tf.system import cache_entry
from stackgan_tf.system.errors import UserError
from stackgan_tf.text import embedding_cache
from stackgan_tf.text.embedding_cache import CachedEmbeddings

CAPTIONS = np.array([f'{word} {number}'.encode() for number in range(7) for word in ('red', 'blue', 'black')], object)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setattr(embedding_cache, '_SHARD', 8)
    monkeypatch.setattr(embedding_cache, '_BATCH', 3)
    return tmp_path / 'cache' / 'embeddings'


def cached(encoder, captions=CAPTIONS):
    return CachedEmbeddings(encoder, captions, 'my birds/64')


def test_embeddings_are_computed_once_and_equal_the_encoder(cache):
    encoder = WordEncoder()
    positions = np.array([20, 0, 7, 8, 0])
    rows = cached(encoder).rows(positions)
    assert encoder.embedded == len(CAPTIONS)
    np.testing.assert_array_equal(rows, encoder(tf.constant(CAPTIONS[positions])))
    again = WordEncoder()
    np.testing.assert_array_equal(cached(again).rows(positions), rows)
    assert again.embedded == 0
    assert [entry.name.partition('-')[0] for entry in cache.iterdir()] == ['my_birds_64']


def test_other_encoders_and_other_captions_have_entries_of_their_own(cache):
    cached(WordEncoder())
    cached(WordEncoder('other words'))
    cached(WordEncoder(), CAPTIONS[::-1])
    assert len(list(cache.iterdir())) == 3


def test_an_interrupted_computation_resumes(cache):
    class Stopping(WordEncoder):
        def _count_rows(self, number):
            super()._count_rows(number)
            if self.embedded > 10:
                raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, UserError)):
        cached(Stopping())
    encoder = WordEncoder()
    rows = cached(encoder).rows(np.arange(len(CAPTIONS)))
    assert encoder.embedded == len(CAPTIONS) - 8
    np.testing.assert_array_equal(rows, encoder(tf.constant(CAPTIONS)))


@pytest.mark.parametrize('damage', [lambda content: content[:150], lambda content: b'', lambda content: b'PK'])
def test_a_damaged_file_is_made_again(cache, damage):
    cached(WordEncoder())
    (entry,) = cache.iterdir()
    (entry / '00001.npy').write_bytes(damage((entry / '00001.npy').read_bytes()))
    encoder = WordEncoder()
    rows = cached(encoder).rows(np.arange(len(CAPTIONS)))
    assert encoder.embedded == 8
    np.testing.assert_array_equal(rows, encoder(tf.constant(CAPTIONS)))


def test_values_that_are_not_finite_are_refused(cache):
    class Broken(WordEncoder):
        def __call__(self, captions):
            vectors = super().__call__(captions)
            return tf.where(tf.strings.regex_full_match(captions, 'black 3')[:, None], float('nan'), vectors)

    with pytest.raises(UserError, match="gives no numbers for the caption b'black 3'"):
        cached(Broken())


def test_no_room(cache, monkeypatch):
    monkeypatch.setattr(cache_entry.shutil, 'disk_usage', lambda path: types.SimpleNamespace(free=1))
    with pytest.raises(UserError, match=r'21 embeddings take 0\.0 GB in .*embeddings, but the disk has 0\.0 GB free'):
        cached(WordEncoder())
