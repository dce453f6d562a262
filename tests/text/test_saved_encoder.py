import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.system.errors import UserError
from stackgan_tf.text.saved_encoder import SavedEncoder

STRINGS = tf.TensorSpec((None,), tf.string)
FLOATS = tf.TensorSpec((None, 3), tf.float32)


def lengths(captions):
    """Vectors [N, 2] of the length of captions."""
    length = tf.cast(tf.strings.length(captions), tf.float32)
    return tf.stack([length, -length], axis=1)


def save(path, function, specification=STRINGS, call=True, signature=False):
    module = tf.Module()
    traced = tf.function(function, input_signature=[specification])
    if call:
        module.__call__ = traced
    tf.saved_model.save(module, str(path), signatures={'serving_default': traced} if signature else None)
    return str(path)


@pytest.mark.parametrize(
    ('function', 'saving'),
    [
        (lengths, {}),  # as the Universal Sentence Encoder
        (lambda text: {'outputs': lengths(text)}, {'call': False, 'signature': True}),
        (lambda text: {'default': lengths(text), 'tokens': tf.strings.length(text)}, {}),
        (lambda text: tf.cast(lengths(text), tf.float16), {}),
    ],
)
def test_a_module_that_maps_strings_to_vectors(tmp_path, function, saving):
    encoder = SavedEncoder(save(tmp_path / 'module', function, **saving))
    assert encoder.dimension == 2
    assert encoder.image_size is None
    vectors = tf.function(encoder.__call__)(tf.constant(['a', 'bird', '']))
    assert vectors.dtype == tf.float32
    np.testing.assert_array_equal(vectors, [[1, -1], [4, -4], [0, 0]])


def test_a_fingerprint_is_of_the_files(tmp_path):
    first = save(tmp_path / 'first', lengths)
    assert SavedEncoder(first).fingerprint == SavedEncoder(first).fingerprint
    second = save(tmp_path / 'second', lambda text: 2.0 * lengths(text))
    assert SavedEncoder(first).fingerprint != SavedEncoder(second).fingerprint


@pytest.mark.parametrize(
    ('function', 'saving', 'reason'),
    [
        (lambda x: 2.0 * x, {'specification': FLOATS}, 'it takes something else'),
        (lambda x: {'y': 2.0 * x}, {'specification': FLOATS, 'call': False, 'signature': True}, 'takes something else'),
        (lambda text: tf.strings.length(text), {}, r'for 3 captions it gave int32 \[3\]'),
        (lambda text: tf.strings.upper(text), {}, r'it gave string \[3\]'),
        (lambda text: tf.reduce_mean(lengths(text), axis=0), {}, r'it gave float32 \[2\]'),
        (lambda text: {'b': lengths(text), 'a': lengths(text)}, {}, 'of its outputs a, b none is known'),
        (lambda text: lengths(text)[:2], {}, r'for 3 captions it gave float32 \[2, 2\]'),
        (lambda text: lengths(text)[:, :0], {}, r'it gave float32 \[3, 0\]'),
        (lambda text: 1 / lengths(text), {}, 'it gave no numbers'),
        (lambda text: tf.tile(lengths(text), [1, tf.size(text)]), {}, r'of different lengths: \[2, 6\]'),
        (lengths, {'call': False}, 'neither be called nor has it a serving signature'),
    ],
)
def test_a_module_that_does_something_else_is_refused(tmp_path, function, saving, reason):
    with pytest.raises(UserError, match=f'is no text encoder, .*{reason}'):
        SavedEncoder(save(tmp_path / 'module', function, **saving))


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match='no model can be loaded'):
        SavedEncoder(str(tmp_path / 'nothing'))
