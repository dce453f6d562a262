"""CLIP's tokens against the published ones, and against a plain byte-pair encoding."""

import itertools
import random
import re

import clip_words
import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.system.errors import UserError
from stackgan_tf.text.clip_tokens import BYTES, ClipTokens

TOKENS = ClipTokens(clip_words.vocabulary(), clip_words.merges()[0], 77)


def tokens(captions, of=TOKENS):
    """The tokens of captions without zeros, computed in a graph."""
    graph = tf.function(of.__call__, input_signature=[tf.TensorSpec([None], tf.string)])
    return [row[row != 0].tolist() for row in graph(tf.constant(captions)).numpy()]


def test_captions_have_the_published_tokens():
    found = tokens(list(clip_words.TOKENS))
    assert found == [[clip_words.START, *published, clip_words.END] for published in clip_words.TOKENS.values()]


def plain(text, numbers, pairs):
    """Byte-pair encoding as the released `simple_tokenizer.py` does it, of ASCII."""
    ranks = {tuple(pair.split(' ')): rank for rank, pair in enumerate(pairs)}
    found = []
    for word in re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower()):
        parts = [*word[:-1], word[-1] + '</w>']
        while len(parts) > 1:
            best = min(itertools.pairwise(parts), key=lambda pair: ranks.get(pair, len(ranks)))
            if best not in ranks:
                break
            merged = []
            while parts:
                step = 2 if tuple(parts[:2]) == best else 1
                merged.append(''.join(parts[:step]))
                parts = parts[step:]
            parts = merged
        found += [numbers[part] for part in parts]
    return found


def test_any_vocabulary_gives_the_tokens_of_a_plain_encoding():
    rng = random.Random(0)
    numbers, pairs = clip_words.vocabulary(), []
    del numbers['<|endoftext|>']
    symbols = ['a', 'b', 'c', 'a</w>', 'b</w>', 'c</w>', "'", 's</w>']
    while len(pairs) < 60:  # as they are learned: of symbols that exist
        first, second = rng.choice(symbols[:20]), rng.choice(symbols[:20])
        if not first.endswith('>') and first + second not in numbers:
            pairs.append(f'{first} {second}')
            numbers[first + second] = 50_000 + len(pairs)
            symbols.append(first + second)
    numbers['<|endoftext|>'] = 60_000
    captions = [''.join(rng.choice("aaabbbccc  '12s.A") for _ in range(rng.randrange(40))) for _ in range(200)]
    found = tokens(captions, ClipTokens(numbers, pairs, 77))
    for caption, row in zip(captions, found, strict=True):
        assert row == [clip_words.START, *plain(caption, numbers, pairs), 60_000], caption
    assert len({number for row in found for number in row} & set(range(50_001, 50_061))) > 8  # merges did happen


def test_unusual_captions():
    (empty, spaces, nul, cut) = tokens(['', ' \t\u3000\n', 'a\x00\u00a0photo', b'a \xff'])
    assert empty == spaces == [clip_words.START, clip_words.END]
    assert nul == [clip_words.START, 320, 1125, clip_words.END]
    assert tokens([b'a \xef\xbf\xbd']) == [cut]


def test_long_captions_are_cut_and_counted():
    long, longest, most = 'a ' * 76, 'a' * 10 * BYTES, 'a ' * 75
    for row in tokens([long, most]):
        assert row == [clip_words.START, *[320] * 75, clip_words.END]
    assert len(tokens([longest])[0]) == 77
    assert TOKENS.longer(np.array([text.encode() for text in (long, longest, most, '')], object)) == 2


def test_a_vocabulary_of_something_else_is_refused():
    numbers = clip_words.vocabulary()
    del numbers['!</w>']
    with pytest.raises(UserError, match="not a vocabulary of CLIP: it lacks '!</w>'"):
        ClipTokens(numbers, clip_words.merges()[0], 77)
    with pytest.raises(UserError, match='not a vocabulary of CLIP'):
        ClipTokens(clip_words.vocabulary(), ['a b c'], 77)
