"""The choice of TensorFlow's CPU kernels, once, before TensorFlow is imported."""

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
    """A process on x86 that has not imported TensorFlow, without the user's variable."""
    monkeypatch.delitem(sys.modules, 'tensorflow')
    monkeypatch.setattr(onednn, '_chosen_here', False)
    monkeypatch.setattr('platform.machine', lambda: 'x86_64')
    monkeypatch.setenv(onednn.VARIABLE, '')  # so that it is restored afterwards
    monkeypatch.delenv(onednn.VARIABLE)


def setting():
    return os.environ.get(onednn.VARIABLE)


def test_onednn_is_on_by_default(fresh):
    onednn.choose_onednn()
    assert setting() == '1'


def test_the_users_variable_wins(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv(onednn.VARIABLE, '0')
    onednn.choose_onednn()
    onednn.restore_onednn(environment_of(tmp_path, True))
    assert setting() == '0'


def test_nothing_changes_after_the_import_of_tensorflow(fresh, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorflow', object())
    onednn.choose_onednn()
    assert setting() is None


def test_nothing_changes_on_arm(fresh, monkeypatch):
    monkeypatch.setattr('platform.machine', lambda: 'aarch64')
    onednn.choose_onednn()
    assert setting() is None


def environment_of(folder, value):
    (folder / 'environment.json').write_text(json.dumps({'starts': [{'onednn': value}, {'onednn': not value}]}))
    return folder / 'environment.json'


@pytest.mark.parametrize('value', [True, False])
def test_a_run_resumes_with_the_setting_of_its_start(fresh, tmp_path, value):
    onednn.choose_onednn()
    onednn.restore_onednn(environment_of(tmp_path, value))
    assert setting() == str(int(value))


def test_a_missing_record_changes_nothing_and_a_damaged_one_is_named(fresh, tmp_path):
    onednn.choose_onednn()
    onednn.restore_onednn(tmp_path / 'environment.json')
    (tmp_path / 'environment.json').write_text('{"starts": [{}]}')
    onednn.restore_onednn(tmp_path / 'environment.json')
    assert setting() == '1'
    for damage in ('{"starts": []}', '{', '[]'):
        (tmp_path / 'environment.json').write_text(damage)
        with pytest.raises(UserError, match='cannot be read any more'):
            onednn.restore_onednn(tmp_path / 'environment.json')


def test_a_run_that_resumes_with_another_setting_says_so(tmp_path, capsys):
    (tmp_path / 'config.gin').write_text('')
    environment_of(tmp_path, not onednn.onednn_is_on())
    directory = RunDirectory(tmp_path, '')
    with directory.locked():
        directory.open()
    assert f'This run began with {onednn.VARIABLE}=' in capsys.readouterr().out


def test_commands_resume_with_the_setting_of_the_start(tmp_path):
    for steps, value in ((2, '0'), (4, None)):
        result = run_process(train('run', steps), tmp_path, **{onednn.VARIABLE: value})
        assert result.returncode == 0, result.stderr
        assert 'This run began' not in result.stdout
    starts = json.loads((tmp_path / 'run' / 'environment.json').read_text())['starts']
    assert [start['onednn'] for start in starts] == [False, False]


def test_the_import_of_the_package_enables_onednn(tiny_run):
    assert json.loads((tiny_run / 'environment.json').read_text())['starts'][0]['onednn'] is True
