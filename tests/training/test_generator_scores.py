"""Scores while a generator is trained, the best checkpoint, and runs that score nothing."""

import functools
import json

import numpy as np
import pytest
from captioned import Gappy, WordEncoder
from drawn_images import Speckled
from feature_extractors import MeanColours
from small_models import TREE, build

from stackgan_tf.data.embeddings import CaptionEmbeddings, LabelVectors
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.callbacks.samples import SAMPLES
from stackgan_tf.training.generator_scores import GeneratorScores
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))


def train(folder, steps=6, best='fid', **settings):
    phase = {
        'model': functools.partial(build, StackGANv2, **TREE, discriminator_inputs__noise=0.1, averaging_decay=0.9),
        'data': lambda: Speckled(16),
        'scores': functools.partial(GeneratorScores, MeanColours, 20, best),
        **settings,
    }
    phase = Phase('tree', steps=steps, **phase)
    Run([phase], 1, 2, seed=0).train(RunDirectory(folder, 'SEED = 0\n'))
    lines = [json.loads(line) for line in (folder / 'tree' / 'metrics.jsonl').read_text().splitlines()]
    return lines, Checkpoints(folder / 'tree' / 'checkpoints')


@pytest.mark.parametrize(('best', 'choose'), [('fid', min), ('coverage', max)])
def test_every_checkpoint_is_scored_and_the_best_is_kept(tmp_path, best, choose):
    lines, checkpoints = train(tmp_path / 'run', best=best)
    scored = {line['step']: line[f'{best}_20'] for line in lines if f'{best}_20' in line}
    assert sorted(scored) == [2, 4, 6]
    assert {'fid_20', 'kid_20', 'precision_20', 'inception_score_20', 'ms_ssim_20'} <= set(lines[-1])
    found = checkpoints.best()
    assert found['value'] == choose(scored.values()) == scored[found['step']]
    assert {4, 6, found['step']} == set(checkpoints.steps())
    # A resumed run compares with the best score before.
    lines, checkpoints = train(tmp_path / 'run', 8, best)
    scored[8] = lines[-1][f'{best}_20']
    assert checkpoints.best()['value'] == choose(scored.values())


def test_scoring_does_not_change_what_is_trained(tmp_path):
    scored, _ = train(tmp_path / 'scored', 4)
    plain, _ = train(tmp_path / 'plain', 4, scores=None)
    for one, other in zip(scored, plain, strict=True):
        assert {name: one[name] for name in other if 'loss' in name} == {
            name: value for name, value in other.items() if 'loss' in name
        }


def test_a_conditional_model_is_scored_on_the_test_data(tmp_path):
    condition = functools.partial(build, StackGANv2, **TREE, embedding_dimension=3)
    settings = {'model': condition, 'data': lambda: Speckled(20), 'test_data': lambda: Speckled(12)}
    lines, checkpoints = train(tmp_path / 'run', 2, text_encoder=LabelVectors, **settings)
    assert lines[-1]['fid_20'] > 0
    assert checkpoints.best()['score'] == 'fid_20'


def test_images_without_captions_give_no_conditions(tmp_path, monkeypatch):
    """The samples and the scores of a tick, like `evaluate`, take captions from the images that have some."""

    class Gaps(Gappy, Speckled):
        pass

    drawn = []
    generate = NetworkGenerator.generate_every_size
    monkeypatch.setattr(
        NetworkGenerator,
        'generate_every_size',
        lambda self, seeds, rows: drawn.append(np.array(rows)) or generate(self, seeds, rows),
    )
    conditional = functools.partial(build, StackGANv2, **TREE, embedding_dimension=4)
    encoder = functools.partial(CaptionEmbeddings, encoder=WordEncoder())
    scores = functools.partial(GeneratorScores, MeanColours, 50)
    train(tmp_path / 'run', 2, model=conditional, data=lambda: Gaps(20), text_encoder=encoder, scores=scores)
    rows = np.concatenate(drawn)
    assert len(rows) == 50 + 2 * SAMPLES
    assert (rows[:, [0, 2]].sum(axis=1) == 1).all()  # red or blue; the empty caption names no color


def test_a_score_that_the_features_do_not_give(tmp_path):
    class Colors(MeanColours):
        def extract(self, images):
            return super().extract(images)[0], None

    scores = functools.partial(GeneratorScores, Colors, 20, 'inception_score')
    with pytest.raises(UserError, match='knows no classes'):
        train(tmp_path / 'run', scores=scores)


def test_scores_of_what_generates_nothing(tmp_path):
    classifier = functools.partial(
        AttributeClassifier, names=('color', 'parity'), choices=(3, 2), sizes=(8,), batch_size=4, width=4
    )
    with pytest.raises(UserError, match='trains no generator'):
        train(tmp_path / 'run', model=classifier)


def test_test_data_without_scores_are_of_no_use(tmp_path):
    with pytest.raises(UserError, match=r'set tree/Phase\.scores, or leave it out'):
        train(tmp_path / 'run', test_data=lambda: Speckled(12), scores=None)
