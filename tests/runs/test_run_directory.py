import errno
import json
import os
import re
import socket

import pytest

from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError

CONFIG = "BATCH_SIZE = 16\nSTEPS = 100\nTICK = 10\ntree/Phase.name = 'tree'\n"


def opened(path, config=CONFIG):
    directory = RunDirectory(path, config)
    with directory.locked():
        directory.open()
    return path


def test_first_start_writes_what_was_asked_for(tmp_path):
    path = opened(tmp_path / 'runs' / 'one')
    assert (path / 'config.gin').read_text() == CONFIG
    start = json.loads((path / 'environment.json').read_text())['starts'][0]
    assert {'time', 'command', 'git_revision', 'python', 'devices', 'versions'} <= set(start)


def test_starts_are_kept(tmp_path):
    opened(tmp_path / 'run')
    opened(tmp_path / 'run')
    assert len(json.loads((tmp_path / 'run' / 'environment.json').read_text())['starts']) == 2


def test_starts_that_were_edited_into_nonsense_are_named(tmp_path):
    path = opened(tmp_path / 'run')
    (path / 'environment.json').write_text('{"starts": 3}')
    with pytest.raises(UserError, match=r'environment\.json cannot be read any more'):
        opened(path)


def test_steps_and_tick_may_change(tmp_path):
    longer = CONFIG.replace('100', '200').replace('TICK = 10', 'TICK = 20')
    opened(opened(tmp_path / 'run'), longer)
    assert (tmp_path / 'run' / 'config.gin').read_text() == longer


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (CONFIG.replace('16', '8'), r'run with BATCH_SIZE = 16, now it is 8: only STEPS, TICK'),
        (CONFIG + 'SEED = 1\n', r'SEED = unset, now it is 1'),
        (CONFIG.replace("'tree'", "'other'"), r"tree/Phase.name = 'tree', now it is 'other'"),
        ('OTHER = 1\n', r'and \d more'),
    ],
)
def test_another_recipe_is_refused_by_name(tmp_path, config, message):
    opened(tmp_path / 'run')
    with pytest.raises(UserError, match=message):
        RunDirectory(tmp_path / 'run', config)
    assert (tmp_path / 'run' / 'config.gin').read_text() == CONFIG


@pytest.mark.parametrize(
    ('setting', 'moved'),
    [
        ("IMAGE_ROOT = '{}'", True),
        ("unseen/ImageFolder.root = '{}'", True),
        ("ImageFolder.cache_gigabytes = '{}'", False),
    ],
)
def test_images_may_be_moved_and_their_cache_limited(tmp_path, setting, moved):
    opened(tmp_path / 'run', CONFIG + setting.format('one') + '\n')
    assert not RunDirectory(tmp_path / 'run', CONFIG + setting.format('one') + '\n').moved
    assert RunDirectory(tmp_path / 'run', CONFIG + setting.format('two') + '\n').moved == moved


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'thesis.txt').write_text('mine')
    with pytest.raises(UserError, match='not empty'):
        RunDirectory(tmp_path, CONFIG)
    with pytest.raises(UserError, match='not a folder'):
        RunDirectory(tmp_path / 'thesis.txt', CONFIG)


def test_a_start_that_failed_can_be_repeated(tmp_path, monkeypatch):
    def fail(path, content):
        raise OSError(28, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr('stackgan_tf.runs.run_directory.write_whole', fail)
        with pytest.raises(UserError, match=r'run cannot be used \(No space left on device\): name another --workdir'):
            opened(tmp_path / 'run')
    opened(tmp_path / 'run')


def test_starts_of_several_phases_are_one(tmp_path):
    directory = RunDirectory(tmp_path / 'run', CONFIG)
    with directory.locked():
        directory.open()
        directory.open()
    assert len(json.loads((tmp_path / 'run' / 'environment.json').read_text())['starts']) == 1


@pytest.mark.parametrize('is_there', [False, True])
def test_a_second_process_is_refused_by_the_name_of_the_first(tmp_path, is_there):
    path = opened(tmp_path / 'run') if is_there else tmp_path / 'run'
    before = {file.name for file in path.iterdir()} if is_there else None
    first, second = RunDirectory(path, CONFIG), RunDirectory(path, CONFIG)
    named = rf'another process \(pid {os.getpid()} on {re.escape(socket.gethostname())}\) is training in .*run: wait'
    with first.locked():
        if not is_there:
            first.open()
        for _ in range(2):  # what was refused leaves the name of the first there
            with pytest.raises(UserError, match=named), second.locked():
                raise AssertionError('not alone')
    with second.locked():
        second.open()
    assert before is None or before == {file.name for file in path.iterdir()}


def test_what_killed_writers_left_is_removed(tmp_path):
    path = opened(tmp_path / 'run')
    (path / 'tree').mkdir()
    for leftover in (f'.config.gin.{16 * "0"}', f'tree/.metrics.jsonl.{16 * "a"}', 'tree/.notes', '.notes.2'):
        (path / leftover).write_text('half')
    opened(path)
    assert sorted(file.name for file in path.rglob('.*')) == ['.lock', '.notes', '.notes.2']


def test_what_changes_no_numbers_may_change(tmp_path):
    opened(opened(tmp_path / 'run'), CONFIG + 'Recipe.keep_last = 5\nRecipe.rollbacks = 2\n')


def refuse(monkeypatch, function, folder, number):
    """Lets a function of `os` fail for paths in a folder, as the system would; tests may run as root, whom it obeys."""
    real = getattr(os, function)

    def refused(path, *arguments, **settings):
        if str(path).startswith(str(folder)):
            raise OSError(number, os.strerror(number), str(path))
        return real(path, *arguments, **settings)

    monkeypatch.setattr(os, function, refused)


@pytest.mark.parametrize('is_there', [False, True])
@pytest.mark.parametrize('number', [errno.EROFS, errno.EACCES, errno.ESTALE])
def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch, is_there, number):
    path = tmp_path / 'run'
    if is_there:
        opened(path)
    directory = RunDirectory(path, CONFIG)
    refuse(monkeypatch, 'open' if is_there else 'mkdir', path, number)
    message = f'{path} cannot be used ({os.strerror(number)}): name another --workdir'
    with pytest.raises(UserError, match=re.escape(message)), directory.locked():
        directory.open()


@pytest.mark.parametrize('number', [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF])
def test_a_file_system_without_locks_is_not_another_process(tmp_path, monkeypatch, capsys, number):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr('fcntl.flock', fail)
    opened(opened(tmp_path / 'run'))
    said = capsys.readouterr().out
    assert said.count(f'Files in {tmp_path / "run"} cannot be locked ({os.strerror(number)}): let no other') == 1


def test_a_system_without_locks(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('stackgan_tf.system.locks.fcntl', None)
    opened(tmp_path / 'run')
    assert 'cannot be locked (this system has none)' in capsys.readouterr().out
