import json
import os
import secrets
import stat

import pytest

from stackgan_tf.system.atomic_files import check_writable, read_back, scratch_folder, whole_folder, write_whole
from stackgan_tf.system.cache_entry import CacheEntry
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


@pytest.mark.parametrize('content', [b'{', b'\xff', b'3', b'{}', b'[]', b'[' * 100_000])
def test_a_file_that_was_edited_into_nonsense_is_named(tmp_path, content):
    path = tmp_path / 'starts.json'
    path.write_bytes(content)
    with (
        pytest.raises(UserError, match=r'starts\.json cannot be read any more: restore it, or move it away'),
        read_back(path),
    ):
        list(json.loads(path.read_text(encoding='utf-8'))['starts'])


@pytest.fixture
def equal_names(monkeypatch):
    """Two processes draw the same names, as process ids repeat across hosts."""
    monkeypatch.setattr(secrets, 'token_hex', lambda count: count * '0a')
    return 8 * '0a'


def test_no_link_is_followed(tmp_path, equal_names):
    victim = tmp_path / 'victim'
    victim.write_bytes(b'mine')
    for ending in (os.getpid(), equal_names):
        (tmp_path / f'.file.{ending}').symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / 'file', b'new')
    assert victim.read_bytes() == b'mine'
    assert (tmp_path / f'.file.{equal_names}').is_symlink()


def test_a_lock_that_is_a_link_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path))
    victim = tmp_path / 'victim'
    victim.write_bytes(b'mine')
    entry = CacheEntry('kind', 'title', 'key')
    for name in ('.lock', '.making'):
        (entry.path / name).unlink(missing_ok=True)
        (entry.path / name).symlink_to(victim)
    with pytest.raises(UserError, match='symbolic links'), entry.making():
        pass
    with pytest.raises(UserError, match='symbolic links'):
        CacheEntry('kind', 'title', 'key')
    assert victim.read_bytes() == b'mine'


def test_a_scratch_folder_of_another_process_is_left_alone(tmp_path, equal_names):
    with scratch_folder(tmp_path / 'target') as first:
        (first / 'file').write_bytes(b'mine')
        with pytest.raises(FileExistsError), scratch_folder(tmp_path / 'target'):
            raise AssertionError('shared')
        assert (first / 'file').read_bytes() == b'mine'
    assert not list(tmp_path.iterdir())


def test_a_result_that_could_not_be_written_is_refused_beforehand(tmp_path):
    (tmp_path / 'file').touch()
    check_writable(tmp_path / 'file')
    check_writable(tmp_path / 'a' / 'b' / 'new')
    for path, message in (('.', 'is a folder: name a file'), ('file/report.json', r'cannot be written \(\w.*\): name')):
        with pytest.raises(UserError, match=message):
            check_writable(tmp_path / path)
    assert [path.name for path in tmp_path.iterdir()] == ['file']


def test_folders_that_were_created_for_a_failure_are_removed(tmp_path):
    with pytest.raises(ValueError, match='no'), whole_folder(tmp_path / 'a' / 'b' / 'target'):
        raise ValueError('no')
    assert not list(tmp_path.iterdir())


def test_others_may_read_what_the_umask_allows(tmp_path):
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / 'file', b'')
        with whole_folder(tmp_path / 'folder'):
            pass
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {'file': 0o644, 'folder': 0o755}
