import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.text.characters import ALPHABET, byte_tokens, caption_tokens, character_tokens


def tokens(*captions):
    return character_tokens(tf.constant(list(captions))).numpy()


def text(row):
    """Decodes tokens: unknown characters as a dot above."""
    return ''.join(ALPHABET[slot] if slot >= 0 else '˙' for slot in row).rstrip('˙')


def test_the_alphabet_has_seventy_slots_and_uses_the_second_minus():
    assert len(ALPHABET) == 70
    assert len(set(ALPHABET)) == 69
    np.testing.assert_array_equal(tokens('a-{ ')[0, :5], [0, 59, 67, 69, -1])
    every = tokens(ALPHABET)[0, :70]
    np.testing.assert_array_equal(every, [59 if slot == 36 else slot for slot in range(70)])


def test_captions_come_back():
    assert [text(row) for row in tokens('a red bird.', 'A RED Bird!')] == ['a red bird.', 'a red bird!']


@pytest.mark.parametrize(
    ('caption', 'expected'),
    [
        ('', ''),
        (b'\x00nul', '˙nul'),
        ('caf\u00e9 bird', 'caf˙ bird'),
        ('\U0001f426 bird', '˙ bird'),
        ('\u05e6\u05d9\u05e4\u05d5\u05e8 x', '˙˙˙˙˙ x'),
        (b'bad \xff\xfe bytes', 'bad ˙˙ bytes'),
        (b'cut \xe2\x9c', 'cut '),
        ('tab\tline\nend', 'tab˙line˙end'),
        ('\u212a is no k', '˙ is no k'),
    ],
)
def test_odd_captions_are_read_as_documented(caption, expected):
    assert text(tokens(caption)[0]) == expected


@pytest.mark.parametrize('character', ['a', '\u00e9', '\u2713', '\U0001f426'])
def test_long_captions_are_cut_after_201_characters(character):
    caption = (character * 200 + 'b') + 'c' * 100_000
    row = tokens(caption)[0]
    assert row.shape == (201,)
    assert row[200] == ALPHABET.index('b')
    assert set(row[:200]) == {ALPHABET.find(character)}


def test_shapes_in_a_graph():
    traced = tf.function(character_tokens, input_signature=[tf.TensorSpec((None,), tf.string)])
    assert traced.get_concrete_function().structured_outputs.shape.as_list() == [None, 201]
    assert traced(tf.constant([], tf.string)).shape == (0, 201)
    np.testing.assert_array_equal(traced(tf.constant(['a b'])), tokens('a b'))


def read(row):
    """Decodes tokens of bytes."""
    return bytes(row[row >= 0].astype(np.uint8))


@pytest.mark.parametrize(
    ('caption', 'expected'),
    [
        ('', b''),
        ('A Red BIRD 7!', b'a red bird 7!'),
        ('\u041f\u0422\u0418\u0426\u0410', '\u043f\u0442\u0438\u0446\u0430'.encode()),
        ('\u7ea2\u8272', '\u7ea2\u8272'.encode()),
        ('\U0001f426', '\U0001f426'.encode()),
        (b'bad \xff', 'bad \ufffd'.encode()),
        ('nul\x00 x', b'nul  x'),
        ('x' * 100_000, b'x' * 512),
        ('\u7ea2' * 1000, ('\u7ea2' * 1000).encode()[:512]),
    ],
)
def test_bytes_of_any_script_are_read_in_a_graph(caption, expected):
    traced = tf.function(byte_tokens, input_signature=[tf.TensorSpec((None,), tf.string)])
    row = traced(tf.constant([caption]))[0].numpy()
    assert (row.shape, row.dtype) == ((512,), np.int32)
    assert read(row) == expected
    assert row.max() < 256
    np.testing.assert_array_equal(caption_tokens(tf.constant([caption]), 'bytes')[0], row)
    assert traced(tf.constant([], tf.string)).shape == (0, 512)
