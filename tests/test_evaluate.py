"""Evaluation of a text-to-image model, from the training of a classifier to the report."""

import json

import pytest
from command_runs import TINY, assert_one_line, command, run

SMALL = [*TINY[1:4], '--gin_param=SIZES = (16,)', '--gin_param=STEPS = 4']


@pytest.fixture(scope='module')
def runs(tiny_text_run, made_once):
    """A run of the quickstart and one of the classifier."""

    def make(folder):
        (folder / 'model').symlink_to(tiny_text_run)
        settings = [*SMALL, '--gin_param=AttributeClassifier.width = 4']
        recipe = '--gin_file=gin/evaluation/painted_birds.gin'
        result = run(command('train', recipe, '--workdir=classifier', *settings), folder)
        assert result.returncode == 0, result.stderr

    return made_once('evaluated', make)


def test_a_report(runs, tmp_path):
    report = tmp_path / 'report.json'
    flags = [f'--model={runs}/model', f'--classifier={runs}/classifier', '--count=5', f'--output={report}']
    result = run(command('evaluate', *flags), tmp_path)
    assert result.returncode == 0, result.stderr
    made = json.loads(report.read_text())
    names = ['body', 'belly', 'wing', 'crown', 'beak']
    assert {f'classifier_accuracy_{name}' for name in names} <= set(made['metrics'])
    names = {'caption_consistency', 'mode_divergence_background', 'r_precision', 'r_precision_real', 'diversity'}
    assert names <= set(made['metrics'])
    assert all(score['value'] >= 0 for score in made['metrics'].values())
    assert made['metrics']['r_precision']['count'] == made['settings']['count'] == 5
    assert 'captions of painted_birds/76px_mixed (split test)' in made['metrics']['r_precision']['protocol']
    assert made['environment']['versions']['tensorflow']
    assert 'caption_consistency_body' in result.stdout


def test_all_scores_at_once_are_repeatable(runs, tmp_path):
    flags = [f'--model={runs}/model', '--reference=painted_birds/76px', f'--classifier={runs}/classifier', '--count=40']
    outputs = []
    for split in ('test[:3%]',) * 2:
        result = run(command('evaluate', *flags, f'--split={split}', '--fid_64', '--output=report.json'), tmp_path)
        assert result.returncode == 0, result.stderr
        outputs.append(result.stdout)
    assert outputs[0] == outputs[1]
    made = json.loads((tmp_path / 'report.json').read_text())
    names = {'fid', 'fid_64', 'kid', 'inception_score', 'precision', 'recall', 'density', 'coverage', 'ms_ssim'}
    assert names | {'caption_consistency', 'r_precision', 'diversity'} <= set(made['metrics'])
    assert made['metrics']['fid']['count'] == 40
    assert '30 real images of 16 pixels (painted_birds/76px' in made['metrics']['fid']['protocol']
    assert 'after 4 steps' in made['metrics']['fid']['protocol']
    assert len(made['warnings']) == 2
    assert '[1] 40 generated images' in outputs[0]


def test_an_export_has_the_scores_of_its_run(runs, tmp_path, unchecked_exports):
    exported = run(command('export', f'--model={runs}/model', f'--output={tmp_path}/model'), tmp_path)
    assert exported.returncode == 0, exported.stderr
    flags = [f'--classifier={runs}/classifier', '--count=5']
    found = []
    for model, more in ((f'{runs}/model', []), ('model', [f'--text_encoder={runs}/model'])):
        result = run(command('evaluate', f'--model={model}', *flags, *more, '--output=report.json'), tmp_path)
        assert result.returncode == 0, result.stderr
        metrics = json.loads((tmp_path / 'report.json').read_text())['metrics']
        found.append({name: (score['value'], score['spread'], score['count']) for name, score in metrics.items()})
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--output=.'], '. is a folder: name a file'),
        (['--watch', '--output=report.json'], 'leave out --output and --checkpoint'),
        (['--watch', '--checkpoint=best'], 'leave out --output and --checkpoint'),
    ],
)
def test_flags_are_checked_before_anything_is_measured(tmp_path, flags, message):
    (tmp_path / 'config.gin').touch()
    result = run(command('evaluate', f'--model={tmp_path}', '--reference=nowhere', *flags), tmp_path)
    assert_one_line(result, message)


@pytest.mark.parametrize(
    ('model', 'classifier', 'message'),
    [
        ('model', 'model', 'trains no classifier of attributes: train gin/evaluation/painted_birds.gin'),
        ('classifier', 'classifier', 'trains no generator: name a run whose last phase does'),
        ('model', 'nowhere', 'is no run'),
    ],
)
def test_errors_end_with_one_line(runs, tmp_path, model, classifier, message):
    flags = [f'--model={runs}/{model}', f'--classifier={runs}/{classifier}']
    assert_one_line(run(command('evaluate', *flags), tmp_path), message)


def test_scores_are_in_the_metrics(runs):
    last = json.loads((runs / 'classifier/classifier/metrics.jsonl').read_text().splitlines()[-1])
    assert 0 <= last['test_beak_accuracy'] <= 1
    assert last['attribute_loss'] > 0
