import json
import os

import pytest

from stackgan_tf.system.atomic_files import read_back, write_whole
from stackgan_tf.system.errors import UserError


def test_it_replaces_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / 'deep' / 'file'
    write_whole(path, b'one')
    write_whole(path, b'two')
    assert path.read_bytes() == b'two'
    assert [file.name for file in path.parent.iterdir()] == ['file']


def test_a_failure_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    write_whole(path, b'good')

    def fail(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match='No space'):
        write_whole(path, b'bad')
    assert path.read_bytes() == b'good'
    assert [file.name for file in tmp_path.iterdir()] == ['file']


@pytest.mark.parametrize('content', [b'{', b'\xff', b'3', b'{}', b'[]'])
def test_a_file_that_was_edited_into_nonsense_is_named(tmp_path, content):
    path = tmp_path / 'starts.json'
    path.write_bytes(content)
    with (
        pytest.raises(UserError, match=r'starts\.json cannot be read any more: restore it, or move it away'),
        read_back(path),
    ):
        list(json.loads(path.read_text(encoding='utf-8'))['starts'])
