"""tools/human_study.py: a study of tiny models is built and scored. No command runs here."""

import json

import pytest
from absl.testing import flagsaver
from tiny_text_model import text_generator
from tool_module import TOOLS, tool_module

from stackgan_tf import loading
from stackgan_tf.system.errors import UserError

pytestmark = pytest.mark.skipif(not TOOLS.exists(), reason='needs the source tree')


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs the command with flags."""
    monkeypatch.setattr(loading, 'load', lambda source: text_generator())
    with tool_module('human_study') as module:

        def run(*words, **values):
            with flagsaver.flagsaver(**values):
                module.main(list(words))

        yield run


def test_a_study_is_built_and_scored(command, tmp_path, capsys):
    study = str(tmp_path / 'study')
    command('build', model=['runs/a', 'runs/b'], caption=['a red bird', 'a blue bird'], images=2, output=study)
    key = json.loads((tmp_path / 'study' / 'key.json').read_text())
    file = tmp_path / 'answers_1.json'
    ranks = {str(trial): [1 + (model != 1) for model in order] for trial, order in enumerate(key['orders'])}
    file.write_text(json.dumps({'study': key['study'], 'rater': 'r', 'ranks': ranks}))
    command('score', str(file), study=study)
    scores = json.loads((tmp_path / 'study' / 'scores.json').read_text())
    assert {model: each['value'] for model, each in scores['mean_ranks'].items()} == {'runs/a': 2, 'runs/b': 1}
    assert capsys.readouterr().out.splitlines()[3].split()[:2] == ['runs/b', '1.00']


def test_mistakes_are_refused(command, tmp_path):
    new = str(tmp_path / 'new')
    with pytest.raises(UserError, match='two or more different models'):
        command('build', model=['a', 'a'], output=new)
    with pytest.raises(UserError, match='either with --caption or with --data'):
        command('build', model=['a', 'b'], output=new)
    with pytest.raises(UserError, match='exists already'):
        command('build', model=['a', 'b'], output=str(tmp_path))
    with pytest.raises(UserError, match='say what to do'):
        command('rank')
    assert not (tmp_path / 'new').exists()
