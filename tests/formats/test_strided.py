import itertools

import numpy as np
import pytest
from fuzzing import EXAMPLES, fuzz
from hypothesis import strategies as st

from stackgan_tf.formats.strided import strided

STORAGE = np.arange(100, 124, dtype='f4')
SIZES = st.lists(st.integers(-1, 4) | st.sampled_from([2**31, 2**62]), max_size=4)
STRIDES = st.lists(st.integers(-2, 8) | st.sampled_from([2**31, 2**63 - 1]), min_size=4, max_size=4)


@EXAMPLES
def test_any_sizes_and_strides_give_their_view_or_an_error(examples):
    def check(view):
        sizes, strides, offset = view
        strides = strides[: len(sizes)]
        try:
            result = strided(STORAGE, tuple(sizes), tuple(strides), offset, 400)
        except ValueError:
            return
        assert result.shape == tuple(sizes)
        assert result.nbytes <= 400
        for index in itertools.product(*map(range, sizes)):
            place = sum(step * stride for step, stride in zip(index, strides, strict=True))
            assert result[index] == STORAGE[offset + place]

    fuzz(check, st.tuples(SIZES, STRIDES, st.integers(-1, 30) | st.just(2**62)), examples)


def test_views_are_read_only():
    with pytest.raises(ValueError, match='read-only'):
        strided(STORAGE, (2,), (1,), 0, 400)[0] = 1
