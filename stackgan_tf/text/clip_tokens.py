"""CLIP's byte-pair encoding inside a TensorFlow graph, with TensorFlow's own operations.

Source: Radford et al. (arXiv 2103.00020) and its released `simple_tokenizer.py`. keras-hub's graph tokenizer needs the
operations of tensorflow-text wherever an export is loaded, and splits words as GPT-2 does: "12" is one word there and
two in CLIP, which was trained on two.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from stackgan_tf.system.errors import UserError

BYTES = 2048  # of a caption, which are read
_BATCH = 1024
_END_OF_WORD = '</w>'
_SPACE = r'[\s\x00\x0b\x{85}\p{Z}]+'
_WORD = r"('s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^ \p{L}\p{N}]+)"
# Typographic quotes, as `ftfy` replaces them for the released tokenizer.
_QUOTES = {r'[\x{2bc}\x{2018}-\x{201b}]': "'", r'[\x{201c}-\x{201f}]': '"'}


class ClipTokens:
    """The tokens of captions.

    Args:
        vocabulary: from tokens to their numbers; the published one has 49,408.
        merges: pairs of tokens that make another, 'a b', the first ones first.
        length: of the longest row of tokens, with those of the start and the end.

    Attributes:
        length: the same.

    Raises:
        UserError: the vocabulary is not one of CLIP.
    """

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[str], length: int) -> None:
        self.length = length
        self._size = max(vocabulary.values()) + 1
        pairs = [merge.split(' ') for merge in merges if not merge.startswith('#version')]
        try:
            self._start, self._end = (vocabulary[f'<|{name}oftext|>'] for name in ('start', 'end'))
            alphabet = _characters_of_bytes()
            self._bytes = np.array([[vocabulary[symbol + end] for symbol in alphabet] for end in ('', _END_OF_WORD)])
            keys = np.array([vocabulary[a] * self._size + vocabulary[b] for a, b in pairs], np.int64)
            merged = np.array([vocabulary[a + b] for a, b in pairs], np.int64)
        except (KeyError, ValueError) as error:
            raise UserError(f'this is not a vocabulary of CLIP: it lacks {error}') from error
        ranks = np.argsort(keys)
        self._keys, self._ranks, self._merged = keys[ranks], ranks.astype(np.int64), merged[ranks]

    def __call__(self, captions: tf.Tensor) -> tf.Tensor:
        """The tokens of captions, zeros after the end.

        Text is read in lower case, without the difference between white spaces; what is not UTF-8 is U+FFFD. Captions
        are cut after 2,048 bytes and after `length` - 2 tokens.

        Args:
            captions: string `[N]`, UTF-8.

        Returns:
            int32 `[N, L]`, with L of the longest caption of these, at most `length`.
        """
        with tf.device('/CPU:0'):
            tokens = self._tokens(captions)[:, : self.length - 2]
            column = tf.ones_like(captions, tf.int64)[:, tf.newaxis]
            return tf.cast(tf.concat([self._start * column, tokens, self._end * column], 1).to_tensor(), tf.int32)

    def longer(self, captions: np.ndarray) -> int:
        """How many captions, bytes `[N]`, have more tokens than are read, with those of the start and the end."""
        signature = [tf.TensorSpec([None], tf.string)]
        lengths = tf.function(lambda part: self._tokens(part).row_lengths(), input_signature=signature)
        parts = [captions[first : first + _BATCH] for first in range(0, len(captions), _BATCH)]
        return sum(int((lengths(tf.constant(part)).numpy() > self.length - 2).sum()) for part in parts)

    def _tokens(self, captions: tf.Tensor) -> tf.RaggedTensor:
        """int64 `[N, (L)]`, without start and end."""
        words = _words(captions)
        split = tf.strings.bytes_split(words.flat_values)
        word = split.value_rowids()
        # Here and below, an empty row is compared with one element, which broadcasts to an empty row.
        is_last = word != tf.concat([word[1:], [-1]], 0)
        codes = tf.cast(tf.io.decode_raw(split.flat_values, tf.uint8, fixed_length=1)[:, 0], tf.int32)
        symbols = tf.gather_nd(tf.constant(self._bytes, tf.int64), tf.stack([tf.cast(is_last, tf.int32), codes], 1))
        symbols, word = self._merge(symbols, word, words.flat_values)
        caption = tf.gather(words.value_rowids(), word)
        return tf.RaggedTensor.from_value_rowids(symbols, caption, tf.shape(captions, tf.int64)[0])

    def _merge(self, symbols: tf.Tensor, word: tf.Tensor, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Merges pairs in all words: int64 `[B]`, the symbols of all words and the number of the word of each.

        A step merges in each word the leftmost of the pairs that come first. This is byte-pair encoding, in which a
        word's equal pairs are merged together: a pair with a merged symbol comes after the one that made the symbol.
        """
        count = tf.size(words)

        def step(symbols: tf.Tensor, word: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            rank, merged = self._pairs(symbols, word)
            size = tf.size(symbols, tf.int64)
            order = rank * size + tf.range(size)
            first = tf.gather(tf.math.unsorted_segment_min(order, word, count), word)
            chosen = (order == first) & (rank < len(self._keys))
            kept = ~tf.concat([[False], chosen], 0)[:-1]  # the right one of a pair is not
            symbols = tf.where(chosen, merged, symbols)
            return tf.boolean_mask(symbols, kept), tf.boolean_mask(word, kept), tf.reduce_any(chosen)

        row = tf.TensorShape([None])
        found = tf.while_loop(
            lambda symbols, word, again: again,
            step,
            (symbols, word, tf.constant(True)),
            shape_invariants=(row, row, tf.TensorShape([])),
        )
        return found[0], found[1]

    def _pairs(self, symbols: tf.Tensor, word: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Each symbol with the next one of its word: int64 `[B]`, the rank of their merge (the number of all merges if
        there is none), and the merged symbol.
        """  # noqa: D205
        keys, none = tf.constant(self._keys), tf.constant(len(self._keys), tf.int64)
        key = symbols * self._size + tf.concat([symbols[1:], [0]], 0)[: tf.size(symbols)]
        at = tf.minimum(tf.searchsorted(keys, key, out_type=tf.int64), none - 1)
        known = (tf.gather(keys, at) == key) & (word == tf.concat([word[1:], [-1]], 0))
        return tf.where(known, tf.gather(tf.constant(self._ranks), at), none), tf.gather(tf.constant(self._merged), at)


def _words(captions: tf.Tensor) -> tf.RaggedTensor:
    """The words and other runs of characters that are encoded apart: string `[N, (W)]`."""
    text = tf.strings.regex_replace(tf.strings.substr(captions, 0, BYTES), r'\x00', ' ')  # where `lower` would end
    text = tf.strings.regex_replace(tf.strings.lower(text, encoding='utf-8'), _SPACE, ' ')
    for quotes, quote in _QUOTES.items():
        text = tf.strings.regex_replace(text, quotes, quote)
    return tf.strings.split(tf.strings.regex_replace(text, _WORD, r'\1 '))


def _characters_of_bytes() -> list[str]:
    """The character that stands for each byte in a vocabulary: itself if it is printable, else one after U+00FF."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [code for code in range(256) if code not in printable]
    return [chr(code) if code in printable else chr(256 + others.index(code)) for code in range(256)]
