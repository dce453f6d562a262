"""Which CPU kernels TensorFlow uses: chosen once, before it is imported."""

import json
import os
import sys

import pytest
from command_runs import run_process, train

from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system import onednn
from stackgan_tf.system.errors import UserError


@pytest.fixture
def fresh(monkeypatch):
    """As in a process that has not imported TensorFlow, on x86, where the user has set nothing."""
    monkeypatch.delitem(sys.modules, 'tensorflow')
    monkeypatch.setattr(onednn, '_chosen_here', False)
    monkeypatch.setattr('platform.machine', lambda: 'x86_64')
    monkeypatch.setenv(onednn.VARIABLE, '')  # so that it is restored afterwards
    monkeypatch.delenv(onednn.VARIABLE)


def setting():
    return os.environ.get(onednn.VARIABLE)


def test_it_is_on(fresh):
    onednn.choose_onednn()
    assert setting() == '1'


def test_what_the_user_set_wins(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv(onednn.VARIABLE, '0')
    onednn.choose_onednn()
    onednn.choose_onednn_as_begun(begun(tmp_path, True))
    assert setting() == '0'


def test_a_tensorflow_that_is_imported_is_left_alone(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorflow', object())
    onednn.choose_onednn()
    assert setting() is None


def test_arm_is_left_alone(fresh, monkeypatch):
    monkeypatch.setattr('platform.machine', lambda: 'aarch64')
    onednn.choose_onednn()
    assert setting() is None


def begun(folder, value):
    (folder / 'environment.json').write_text(json.dumps({'starts': [{'onednn': value}, {'onednn': not value}]}))
    return folder / 'environment.json'


@pytest.mark.parametrize('value', [True, False])
def test_a_run_is_resumed_with_what_it_began_with(fresh, tmp_path, value):
    onednn.choose_onednn()
    onednn.choose_onednn_as_begun(begun(tmp_path, value))
    assert setting() == str(int(value))


def test_without_a_record_nothing_changes_and_a_damaged_one_is_named(fresh, tmp_path):
    onednn.choose_onednn()
    onednn.choose_onednn_as_begun(tmp_path / 'environment.json')
    (tmp_path / 'environment.json').write_text('{"starts": [{}]}')
    onednn.choose_onednn_as_begun(tmp_path / 'environment.json')
    assert setting() == '1'
    for damage in ('{"starts": []}', '{', '[]'):
        (tmp_path / 'environment.json').write_text(damage)
        with pytest.raises(UserError, match='cannot be read any more'):
            onednn.choose_onednn_as_begun(tmp_path / 'environment.json')


def test_a_run_that_resumes_otherwise_says_so(tmp_path, capsys):
    (tmp_path / 'config.gin').write_text('')
    begun(tmp_path, not onednn.onednn_is_on())
    directory = RunDirectory(tmp_path, '')
    with directory.alone():
        directory.open()
    assert f'This run began with {onednn.VARIABLE}=' in capsys.readouterr().out


def test_commands_use_it_and_resume_without_it_what_began_without(tmp_path):
    for steps, value in ((2, '0'), (4, None)):
        result = run_process(train('run', steps), tmp_path, **{onednn.VARIABLE: value})
        assert result.returncode == 0, result.stderr
        assert 'This run began' not in result.stdout
    starts = json.loads((tmp_path / 'run' / 'environment.json').read_text())['starts']
    assert [start['onednn'] for start in starts] == [False, False]


def test_importing_the_package_is_enough(tiny_run):
    assert json.loads((tiny_run / 'environment.json').read_text())['starts'][0]['onednn'] is True
