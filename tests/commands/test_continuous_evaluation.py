"""Continuous evaluation: the checkpoints of a run are measured as they appear."""

import json

import pytest
from command_runs import TINY
from drawn_images import Given, noise
from feature_extractors import MeanColours

from stackgan_tf.commands.continuous_evaluation import evaluate_continuously
from stackgan_tf.commands.evaluators import Evaluator
from stackgan_tf.evaluation.evaluate_model import Reference
from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.runs.run_directory import RunDirectory

SETTINGS = {'settings': {'count': 20}}


class Fixed(Evaluator):
    """Compares with noise."""

    def reference(self, size):
        return Reference(Given(noise(30, size)), self.extractor)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp('runs') / 'run'
    settings = [flag.removeprefix('--gin_param=') for flag in TINY]
    recipe = read_recipe(['gin/painted_birds_unconditional.gin'], [*settings, 'STEPS = 8'])
    recipe.run.train(RunDirectory(folder, recipe.config))
    return folder


def test_every_checkpoint_is_measured_once(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path))
    evaluator = Fixed(20, 0, MeanColours(), None, None, False, False, None, None)
    evaluate_continuously(finished, evaluator, SETTINGS, pause=0)
    path = finished / 'tree' / 'evaluation.jsonl'
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line['step'] for line in lines] == [4, 8]
    assert 'after 4 steps' in lines[0]['metrics']['fid']['protocol']
    assert 'after 8 steps' in lines[1]['metrics']['fid']['protocol']
    assert 'step 8: fid ' in capsys.readouterr().out
    assert list((finished / 'tree' / 'evaluation').glob('events.*'))
    # A second call has nothing to measure; with other settings it measures everything.
    evaluate_continuously(finished, evaluator, SETTINGS, pause=0)
    assert len(path.read_text().splitlines()) == 2
    evaluate_continuously(finished, evaluator, {'settings': {'count': 21}}, pause=0)
    assert len(path.read_text().splitlines()) == 4
