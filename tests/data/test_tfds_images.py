import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from stackgan_tf.data.tfds_images import TfdsImages, _known, _texts
from stackgan_tf.system.errors import UserError


@pytest.fixture(scope='module')
def birds():
    return TfdsImages('painted_birds/76px', 'test')


def test_it_gives_crops_by_index(birds):
    assert birds.count == 1000
    crops = birds.crops(tf.constant([999, 0, 999], tf.int64), tf.zeros((3, 2)), 64).numpy()
    assert crops.shape == (3, 64, 64, 3)
    np.testing.assert_array_equal(crops[0], crops[2])
    assert (crops[0] != crops[1]).any()


def test_captions_and_labels(birds):
    indices = tf.constant([0, 999], tf.int64)
    assert all(180 <= label < 200 for label in birds.labels())
    first = birds.captions().drawn(indices, tf.zeros(2)).numpy()
    assert all(caption.startswith((b'this', b'the', b'a ')) for caption in first)
    assert (birds.captions().drawn(indices, tf.constant([0.95, 0.95])).numpy() != first).all()


def test_captions_in_every_form_that_data_sets_have():
    text, texts = tfds.features.Text(), tfds.features.Sequence(tfds.features.Text())
    coco = tfds.features.Sequence({'id': tfds.features.Scalar(tf.int64), 'text': tfds.features.Text()})
    image = tfds.features.Image()
    for feature in (text, texts, coco):
        assert _known({'image': image, 'captions': feature}) == ['captions']
    assert _texts(b'one') == [b'one']
    assert _texts({'id': np.array([1, 2]), 'text': np.array([b'one', b'two'], object)}) == [b'one', b'two']
    others = {'captions': tfds.features.Tensor(shape=(3,), dtype=tf.int32), 'label': tfds.features.Text()}
    others |= {'attributes': tfds.features.FeaturesDict({'bald': tf.bool}), 'embeddings': texts}
    assert _known({'image': image, **others}) == []


def test_it_is_prepared_once(birds, capsys):
    TfdsImages('painted_birds/76px', 'test')
    assert 'Preparing' not in capsys.readouterr().out


def test_unknown_data_set():
    with pytest.raises(UserError, match='no data set'):
        TfdsImages('painted_bird')


@pytest.mark.parametrize('name', ['huggingface:mnist', 'kaggle:a/b', 'namespace:data_set/config', 'mnist:3.0.1'])
def test_names_for_which_code_would_be_downloaded(monkeypatch, name):
    monkeypatch.setattr(tfds, 'builder', lambda *_, **__: pytest.fail('it is opened'))
    with pytest.raises(UserError, match='without namespace and version'):
        TfdsImages(name)


@pytest.mark.parametrize('name', ['', '/', '../mnist', 'mnist/no_such_config', 'mnist/a=b', 'painted_birds/76px/x'])
def test_names_that_mean_nothing(name):
    with pytest.raises(UserError, match='no data set'):
        TfdsImages(name)


def test_unknown_split(birds):
    with pytest.raises(UserError, match="no split 'valid'; it has train, validation, test"):
        TfdsImages('painted_birds/76px', 'valid')
