"""Checks that readers refuse a stranger's file with one line, and before they take much memory."""

import tracemalloc

import pytest

from stackgan_tf.system.errors import UserError


def refusal_of(read, path, content, allowed):
    """The reason that `read` gives for refusing a file of some content; asserts that it took little memory.

    Args:
        read: of a path.
        path: where the content is written.
        content: bytes.
        allowed: bytes of memory at the peak.
    """
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as info:
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(info.value)
    assert message.isprintable()  # so it is one line
    assert message.startswith(str(path))
    assert peak < allowed
    return message
