import keras
import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.characters import character_tokens

TINY = {
    'sizes': (16,),
    'batch_size': 6,
    'widths': (16, 16, 16),
    'dimension': 16,
    'initial_range': 0.0,
    'image_width': 4,
    'rate': 3e-3,
}
COLORS = {'red': (1, -1, -1), 'green': (-1, 1, -1), 'blue': (-1, -1, 1), 'black': (-1, -1, -1), 'white': (1, 1, 1)}


def make(**settings):
    keras.utils.set_random_seed(0)
    return TextMatching(**{**TINY, **settings})


def batch():
    """Images of one color each, and captions that name it; two are of one class."""
    names = [*COLORS, 'red']
    colors = np.array([COLORS[name] for name in names], np.float32)
    images = colors[:, None, None] * np.ones((1, 16, 16, 1), np.float32)
    return {
        'images': (tf.constant(images),),
        'tokens': character_tokens(tf.constant([f'a {name} image' for name in names])),
        'other_tokens': character_tokens(tf.constant([f'{name} is all of it' for name in names])),
        'label': tf.constant([0, 1, 2, 3, 4, 0]),
    }


@pytest.mark.parametrize('loss', ['hinge', 'cross_entropy'])
def test_one_batch_is_learned(loss):
    model = make(loss=loss)
    step = tf.function(model.train_step)
    first = float(step(batch())['matching_loss'])
    for _ in range(150):
        last = step(batch())
    assert float(last['matching_loss']) < 0.05 * first
    assert float(last['matching_accuracy']) == 1
    record = model.take_record(151)
    assert set(record) == {'matching_loss', 'matching_accuracy'}


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="loss = 'cosine' must be 'hinge' or 'cross_entropy'"):
        make(loss='cosine')


def test_a_step_updates_both_encoders_and_counts():
    model = make()
    before = [
        value.numpy().copy() for network in (model.text_encoder, model.image_encoder) for value in variables_of(network)
    ]
    model.train_step(batch())
    after = [value.numpy() for network in (model.text_encoder, model.image_encoder) for value in variables_of(network)]
    assert all((old != new).any() for old, new in zip(before, after, strict=True))
    assert int(model.step) == 1


def test_checkpoint_variables_hold_every_variable():
    model = make()
    held = {id(variable) for variables in model.checkpoint_variables().values() for variable in variables}
    for network in (model.text_encoder, model.image_encoder, model.optimizer):
        assert {id(variable) for variable in variables_of(network)} <= held


def test_two_captions_of_an_image_match():
    model = make(caption_weight=1.0, sizes=(16,))
    assert set(model.batch_keys) == {'images', 'tokens', 'other_tokens', 'label'}
    step = tf.function(model.train_step)
    first = step(batch())
    for _ in range(150):
        last = step(batch())
    assert float(last['caption_loss']) < 0.05 * float(first['caption_loss'])


def test_a_backbone_starts_with_its_pretrained_weights(tmp_path):
    trained = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3), pooling='avg')
    trained.save_weights(tmp_path / 'trained.weights.h5')
    model = make(sizes=(32,), image_tower=f'MobileNetV2:{tmp_path}/trained.weights.h5')
    model.initialize()
    for given, taken in zip(trained.get_weights(), model.image_encoder.features.get_weights(), strict=True):
        np.testing.assert_array_equal(given, taken)
    with pytest.raises(UserError, match=r"no weights 'nowhere\.h5' for MobileNetV2: "):
        make(sizes=(32,), image_tower='MobileNetV2:nowhere.h5').initialize()
    with pytest.raises(UserError, match="image_tower = 'Nothing' must be '' or 'classifier' or "):
        make(image_tower='Nothing:a.h5')
    with pytest.raises(UserError, match=r'no InceptionV3 for 32 pixels: .*at least'):
        make(sizes=(32,), image_tower='InceptionV3')
