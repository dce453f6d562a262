import numpy as np
import tensorflow as tf
from fuzzing import EXAMPLES, fuzz
from hypothesis import strategies as st

from stackgan_tf.data.captions import Captions
from stackgan_tf.text.characters import ALPHABET, character_tokens

CAPTIONS = Captions([['a', 'b', 'c'], [], ['d']])


def drawn(indices, draws):
    return CAPTIONS.drawn(tf.constant(indices, tf.int64), tf.constant(draws, tf.float32)).numpy().tolist()


def test_each_caption_has_an_equal_share_of_the_draws():
    assert drawn([0] * 6, [0.0, 0.33, 0.34, 0.66, 0.67, 0.9999999]) == [b'a', b'a', b'b', b'b', b'c', b'c']
    draws = np.random.default_rng(0).random(3000)
    _, counts = np.unique(drawn([0] * 3000, draws), return_counts=True)
    assert counts.min() > 900


def test_examples_with_one_caption_or_none():
    assert drawn([2, 1, 2], [0.0, 0.5, 0.999]) == [b'd', b'', b'd']


def test_another_caption_is_another_as_long_as_there_are_two():
    indices, draws = tf.constant([0] * 3 + [1, 2], tf.int64), tf.constant([0.0, 0.5, 0.9, 0.3, 0.3])
    assert CAPTIONS.drawn(indices, draws, offset=1).numpy().tolist() == [b'b', b'c', b'a', b'', b'd']


@EXAMPLES
def test_any_text_is_utf_8_and_can_be_read(examples):
    def check(texts):
        captions = Captions(texts)
        drawn = captions.drawn(tf.range(len(texts), dtype=tf.int64), tf.fill([len(texts)], 0.99)).numpy()
        assert all(caption.decode() is not None for caption in drawn if caption in captions.texts)
        tokens = character_tokens(tf.constant(drawn)).numpy()
        assert tokens.shape[1] == 201
        assert tokens.min() >= -1
        assert tokens.max() < len(ALPHABET)

    odd = st.sampled_from(['\0', '\ud800', '\N{RIGHT-TO-LEFT OVERRIDE}', 'x' * 1_000_000, ''])
    text = st.text(st.characters(), max_size=20) | odd
    fuzz(check, st.lists(text | st.lists(text, max_size=3), min_size=1, max_size=4), min(examples, 1000))
