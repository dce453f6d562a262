import keras
import numpy as np
import pytest
import tensorflow as tf
from captioned import COLOURS

from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.system.errors import UserError

IMAGES = tf.constant(np.tile(COLOURS[:, None, None] / 127.5 - 1, (2, 8, 8, 1)), tf.float32)
BATCH = {'images': (IMAGES,), 'attributes': tf.constant([[0, 1], [1, 1], [2, 0], [0, 1], [1, 1], [2, 0]])}


def make(**settings):
    keras.utils.set_random_seed(0)
    return AttributeClassifier(
        names=('color', 'blue'), choices=(3, 2), sizes=(8,), batch_size=6, width=4, rate=1e-2, **settings
    )


def test_one_batch_is_learned():
    model = make()
    step = tf.function(model.train_step)
    first = float(step(BATCH)['attribute_loss'])
    for _ in range(60):
        last = step(BATCH)
    assert float(last['attribute_loss']) < 0.05 * first
    assert float(last['color_accuracy']) == float(last['blue_accuracy']) == 1
    assert set(model.take_record(61)) == {'attribute_loss', 'color_accuracy', 'blue_accuracy'}


def test_the_loss_is_the_sum_of_both_cross_entropies():
    model = make()
    logits = model.network(IMAGES, training=True)
    expected = 0.0
    for column, of_attribute in enumerate(logits):
        log_p = np.log(np.exp(of_attribute) / np.exp(of_attribute).sum(1, keepdims=True))
        expected -= np.mean(log_p[np.arange(6), BATCH['attributes'][:, column]])
    assert float(model.train_step(BATCH)['attribute_loss']) == pytest.approx(expected, rel=1e-5)


def test_further_attributes_of_a_data_set_change_nothing():
    more = BATCH | {'attributes': tf.concat([BATCH['attributes'], tf.constant([[1], [0], [1], [0], [1], [0]])], 1)}
    (few, further) = (make(), make())
    for _ in range(2):
        assert float(few.train_step(BATCH)['attribute_loss']) == float(further.train_step(more)['attribute_loss'])


def test_each_channel_needs_three_equal_attributes():
    model = AttributeClassifier(names='rgb', choices=(4, 4, 4), sizes=(8,), batch_size=6, width=4, each_channel=True)
    assert [logits.shape for logits in model(IMAGES)] == [(6, 4)] * 3
    for choices in ((4, 4, 5), (4, 4)):
        with pytest.raises(UserError, match='each_channel reads 3 attributes with equally many choices, not'):
            AttributeClassifier(names='rgb'[: len(choices)], choices=choices, sizes=(8,), each_channel=True)


def test_checkpoint_variables():
    checkpoint_variables = make().checkpoint_variables()
    assert {'step', 'sums', 'network', 'optimizer'} == set(checkpoint_variables)
    assert len(checkpoint_variables['optimizer']) > len(checkpoint_variables['network'])
