"""Entries of the cache in folders and on file systems that do not allow everything."""

import errno
import os
import re

import pytest

from stackgan_tf.system.cache_entry import CacheEntry, cache_folder
from stackgan_tf.system.errors import UserError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def refuse(monkeypatch, functions, folder, number, writing=False):
    """Lets functions of `os` fail for paths in a folder, as the system would; tests may run as root, whom it obeys."""

    def refusing(real):
        def refused(path, *arguments, **settings):
            inside = isinstance(path, str | os.PathLike) and str(path).startswith(str(folder))
            if inside and not (writing and arguments and not arguments[0] & (os.O_WRONLY | os.O_RDWR)):
                raise OSError(number, os.strerror(number), str(path))
            return real(path, *arguments, **settings)

        return refused

    for name in functions:
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))


@pytest.mark.parametrize('number', [errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOSPC, errno.ESTALE])
def test_a_cache_that_cannot_be_written_is_one_line(cache, monkeypatch, number):
    refuse(monkeypatch, ['mkdir'], cache, number)
    message = rf'{re.escape(str(cache))}.* cannot be used \({os.strerror(number)}\): set STACKGAN_TF_CACHE to a folder'
    with pytest.raises(UserError, match=message):
        CacheEntry('kind', 'title', 'key')


def test_a_complete_entry_of_a_read_only_cache_is_used(cache, monkeypatch):
    (CacheEntry('kind', 'title', 'key').path / 'content').write_text('whole')
    refuse(monkeypatch, ['open', 'utime'], cache, errno.EROFS, writing=True)
    entry = CacheEntry('kind', 'title', 'key')
    assert (entry.path / 'content').read_text() == 'whole'
    with pytest.raises(UserError, match=r'Read-only file system.*set STACKGAN_TF_CACHE'), entry.making():
        raise AssertionError('made')


def test_errors_of_other_files_are_left_alone(tmp_path):
    error = FileNotFoundError(errno.ENOENT, 'gone', str(tmp_path / 'image.png'))
    with pytest.raises(FileNotFoundError), CacheEntry('kind', 'title', 'key').making():
        raise error


def test_a_user_without_a_home_folder(monkeypatch):
    monkeypatch.delenv('STACKGAN_TF_CACHE')
    monkeypatch.delenv('XDG_CACHE_HOME', raising=False)
    monkeypatch.delenv('HOME')
    monkeypatch.setattr('pwd.getpwuid', {}.__getitem__)  # as of `docker run --user 12345`
    with pytest.raises(UserError, match='no home folder for the cache: set STACKGAN_TF_CACHE'):
        cache_folder('kind')


def test_without_locks_entries_are_made_and_none_is_removed(monkeypatch, capsys):
    def fail(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr('fcntl.flock', fail)
    old, new = CacheEntry('kind', 'old', 'key'), CacheEntry('kind', 'new', 'key')
    (old.path / 'content').write_bytes(b'x' * 100)
    with new.making():
        assert new.make_room(60, 120) == 20
    assert (old.path / 'content').exists()
    assert 'cannot be locked (No locks available)' in capsys.readouterr().out


def test_an_unused_entry_is_removed_by_a_lock_on_a_file_open_for_writing(monkeypatch):
    """Over NFS, a lock that excludes others needs that."""
    import fcntl

    real = fcntl.flock

    def flock(file, operation):
        if operation & fcntl.LOCK_EX and fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(file, operation)

    monkeypatch.setattr(fcntl, 'flock', flock)
    path = CacheEntry('kind', 'old', 'key').path
    (path / 'content').write_bytes(b'x' * 100)
    new = CacheEntry('kind', 'new', 'key')
    with new.making():
        new.make_room(60, 120)
    assert not path.exists()
