import pytest
import tensorflow as tf

from stackgan_tf.data.random_crop import decode
from stackgan_tf.data.tfds_pictures import TfdsPictures
from stackgan_tf.user_error import UserError


@pytest.fixture(scope='module')
def birds():
    return TfdsPictures('painted_birds/76px', 'test')


def test_it_gives_encoded_pictures_by_index(birds):
    assert birds.count == 1000
    assert decode(birds.examples(tf.constant([999], tf.int64))['image'][0]).shape == (76, 76, 3)


def test_it_is_prepared_once(birds, capsys):
    TfdsPictures('painted_birds/76px', 'test')
    assert 'Preparing' not in capsys.readouterr().out


def test_unknown_data_set():
    with pytest.raises(UserError, match='no data set'):
        TfdsPictures('painted_bird')


def test_unknown_split(birds):
    with pytest.raises(UserError, match="no split 'validation'; it has"):
        TfdsPictures('painted_birds/76px', 'validation')
