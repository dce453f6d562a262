"""A text encoder's phase takes over the features of a classifier's, and keeps them."""

import dataclasses
import functools

import numpy as np
import pytest
from captioned import Captioned

from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run

MATCHING = functools.partial(
    TextMatching, sizes=(8,), batch_size=6, widths=(4, 4, 4), recurrence='relu', dimension=5, initial_range=0.0
)
CLASSIFIER = Phase(
    'features',
    lambda: AttributeClassifier(names=('color', 'parity'), choices=(3, 2), sizes=(8,), batch_size=6, width=4),
    Captioned,
    4,
    flip=False,
)
ENCODER = Phase(
    'encoder',
    functools.partial(MATCHING, image_tower='classifier', image_width=4),
    Captioned,
    4,
    image_features='features',
)


def train(workdir, *phases):
    Run(phases, tick=2, checkpoint_every=2, seed=0).train(RunDirectory(workdir, 'SEED = 0\n'))


def trained_features(workdir, phase, of_phase):
    """The part of a phase's model that holds the features, as in its last checkpoint."""
    model = phase.make_model()
    Checkpoints(workdir / phase.name / 'checkpoints').restore(model.checkpoint_variables())
    return of_phase(model)


def test_the_tower_keeps_the_features_and_learns_to_read_them(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))
    train(tmp_path / 'run', CLASSIFIER, ENCODER)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype('float32')
    classifier = trained_features(tmp_path / 'run', CLASSIFIER, lambda model: model.network.encoder)
    tower = trained_features(tmp_path / 'run', ENCODER, lambda model: model.image_encoder)
    np.testing.assert_array_equal(tower.last_map(image, training=True), classifier.last_map(image))
    first = ENCODER.make_model().image_encoder
    assert not np.allclose(first.embed.kernel, tower.embed.kernel)


@pytest.mark.parametrize(
    ('phase', 'message'),
    [
        (dataclasses.replace(ENCODER, image_features=None), 'set encoder/Phase.image_features to its phase'),
        (dataclasses.replace(ENCODER, model=functools.partial(MATCHING, image_width=4)), 'is of no use here'),
        (dataclasses.replace(ENCODER, image_features='nobody'), 'no phase of this name has trained anything'),
        (
            dataclasses.replace(ENCODER, model=functools.partial(MATCHING, image_tower='classifier', image_width=8)),
            'trains no such features',
        ),
    ],
)
def test_features_that_do_not_fit_are_refused(phase, message, tmp_path):
    if phase.image_features == 'features':
        train(tmp_path / 'run', CLASSIFIER)
    with pytest.raises(UserError, match=message):
        train(tmp_path / 'run', CLASSIFIER, phase)
