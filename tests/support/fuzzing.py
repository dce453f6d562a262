"""Fuzzing of parsers: a few examples in every run of the tests, many by `pytest -m slow`."""

import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackgan_tf.system.errors import UserError

EXAMPLES = pytest.mark.parametrize('examples', [60, pytest.param(10_000, marks=pytest.mark.slow)])


def fuzz(check, strategy, examples):
    """Calls `check` with a fixed number of examples of a strategy, always the same; reports the simplest failure."""
    every = settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )

    def tried(example):
        check(example)

    every(given(strategy)(tried))()


@st.composite
def damaged(draw, *wholes):
    """The content of one of several good files, with bytes changed, removed, inserted or repeated, and maybe cut."""
    content = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 9))
        new = draw(
            st.one_of(
                st.binary(min_size=length, max_size=length),
                st.sampled_from([b'', b'\xff' * 8, b'\xff\xff\xff\x7f', bytes(8), b'\x80', b'\n', b'"']),
                st.just(bytes(content[at : at + 3 * length])),
            )
        )
        content[at : at + length] = new
    return bytes(content[: draw(st.integers(0, len(content)))]) if draw(st.booleans()) else bytes(content)


def read_or_refused(read, path, content, allowed=1_000_000):
    """The result of `read` on a file of some content; None if it is refused in one line that names the file.

    Args:
        read: of a path.
        path: where the content is written.
        content: bytes.
        allowed: bytes of memory at the peak, in addition to 20 times the content.
    """
    path.write_bytes(content)
    message, found = None, None
    tracemalloc.start()
    try:
        found = read(path)
    except UserError as error:
        message = str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message is None or (message.isprintable() and str(path) in message)
    assert peak < allowed + 20 * len(content)
    return found
