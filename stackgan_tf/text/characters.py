"""Captions as the characters that the char-CNN-RNN reads, inside a TensorFlow graph.

Source: Reed et al. (arXiv 1605.05395) and its released code: 70 slots, of which '-' has two and uses the second.
"""

import tensorflow as tf

from stackgan_tf.networks.char_cnn_rnn import ALPHABET_SIZE, LENGTH

ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:\'"/\\|_@#$%^&*~`+-=<>()[]{} '
assert len(ALPHABET) == ALPHABET_SIZE
_UNKNOWN = -1
_SLOTS = {character: slot for slot, character in enumerate(ALPHABET)}  # the later of two stays
_TABLE = [_SLOTS.get(chr(code).lower(), _UNKNOWN) for code in range(128)]
_LONGEST_CHARACTER = 4  # bytes in UTF-8


def character_tokens(captions: tf.Tensor) -> tf.Tensor:
    """The slots of each caption's characters.

    Upper case is read as lower case. Characters outside the alphabet (other scripts, control characters, invalid UTF-8)
    are -1, a character without features, as is everything after the end. Captions are cut after 201 characters.

    Args:
        captions: string `[N]`, UTF-8.

    Returns:
        int32 `[N, 201]` in [-1, 70).
    """
    # Cut first, so that long texts are not decoded whole.
    beginnings = tf.strings.substr(captions, 0, LENGTH * _LONGEST_CHARACTER)
    codes = tf.strings.unicode_decode(beginnings, 'UTF-8', errors='replace', replacement_char=0xFFFD)
    codes = codes.to_tensor(default_value=len(_TABLE), shape=(None, LENGTH))
    table = tf.constant([*_TABLE, _UNKNOWN], tf.int32)
    return tf.gather(table, tf.minimum(codes, len(_TABLE)))
