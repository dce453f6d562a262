"""Captions as the symbols that the char-CNN-RNN reads, inside a TensorFlow graph.

Source of the published alphabet: Reed et al. (arXiv 1605.05395) and its released code: 70 slots, of which '-' has two
and uses the second.
"""

import tensorflow as tf

from stackgan_tf.networks.char_cnn_rnn import ALPHABET_SIZE, ALPHABETS, LENGTH

ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:\'"/\\|_@#$%^&*~`+-=<>()[]{} '
assert len(ALPHABET) == ALPHABET_SIZE
_UNKNOWN = -1
_SLOTS = {character: slot for slot, character in enumerate(ALPHABET)}  # the later of two stays
_TABLE = [_SLOTS.get(chr(code).lower(), _UNKNOWN) for code in range(128)]
_LONGEST_CHARACTER = 4  # bytes in UTF-8


def caption_tokens(captions: tf.Tensor, alphabet: str) -> tf.Tensor:
    """The tokens of captions for a char-CNN-RNN over an alphabet: string `[N]` to int32 `[N, length]`."""
    return {'ascii': character_tokens, 'bytes': byte_tokens}[alphabet](captions)


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


def byte_tokens(captions: tf.Tensor) -> tf.Tensor:
    """The bytes of each caption in UTF-8.

    Upper case of any script is read as lower case, what is not UTF-8 as U+FFFD, and NUL as a space. Captions are cut
    after 512 bytes; everything after the end is -1.

    Args:
        captions: string `[N]`, UTF-8.

    Returns:
        int32 `[N, 512]` in [-1, 256).
    """
    _, length = ALPHABETS['bytes']
    beginnings = tf.strings.substr(captions, 0, 2 * length)  # lower case may be shorter, but not by half
    # Without NUL, where `lower` would end.
    lower = tf.strings.lower(tf.strings.regex_replace(beginnings, r'\x00', ' '), encoding='utf-8')
    symbols = tf.cast(tf.io.decode_raw(lower, tf.uint8, fixed_length=length), tf.int32)
    return tf.where(symbols == 0, _UNKNOWN, symbols)
