import keras
import numpy as np
import pytest
import tensorflow as tf
from captioned import COLOURS, Captioned
from tiny_backbone import tiny_backbone

from stackgan_tf.evaluation.attribute_reader import ClassReader
from stackgan_tf.models.class_classifier import ClassClassifier
from stackgan_tf.networks.image_encoder import BACKBONES
from stackgan_tf.system.errors import UserError

IMAGES = tf.constant(np.tile(COLOURS[:, None, None] / 127.5 - 1, (2, 16, 16, 1)), tf.float32)
BATCH = {'images': (IMAGES,), 'label': tf.constant([0, 1, 2, 0, 1, 2])}


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(BACKBONES, 'Tiny', tiny_backbone)


def make(**settings):
    keras.utils.set_random_seed(0)
    return ClassClassifier(
        classes=3, sizes=(16,), batch_size=6, image_tower='Tiny', tower_size=20, rate=1e-2, **settings
    )


def test_one_batch_is_learned_and_the_reader_names_its_classes():
    model = make(image_weights='')
    model.initialize()
    step = tf.function(model.train_step)
    losses = [float(step(BATCH)['class_loss']) for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]
    assert ClassReader(model.network, 16).accuracy(Captioned(9)) == 1


def test_pretrained_weights_are_loaded_at_initialization(tmp_path):
    trained = tiny_backbone(False, None, (20, 20, 3), 'avg')
    trained.save_weights(tmp_path / 'trained.weights.h5')
    model = make(image_weights=str(tmp_path / 'trained.weights.h5'))
    assert np.any(model.network.features.get_weights()[0] != trained.get_weights()[0])
    model.initialize()
    for found, expected in zip(model.network.features.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(UserError, match=r"no weights '/nowhere.h5' for Tiny"):
        make(image_weights='/nowhere.h5').initialize()


def test_a_step_updates_every_weight_but_not_the_statistics():
    model = make(image_weights='')
    trainable, fixed = model.network.trainable_variables, model.network.non_trainable_variables
    before = [[variable.numpy().copy() for variable in group] for group in (trainable, fixed)]
    model.train_step(BATCH)
    assert all(np.any(one != other) for one, other in zip(before[0], trainable, strict=True))
    assert all(np.all(one == other) for one, other in zip(before[1], fixed, strict=True))
    assert len(trainable) == 6
