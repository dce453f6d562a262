import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.networks.char_cnn_rnn import LENGTH, CharCNNRNN
from stackgan_tf.networks.image_encoder import ImageEncoder
from stackgan_tf.saved_models.text_encoder_module import export_text_encoder
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder
from stackgan_tf.text.saved_encoder import SavedEncoder

CAPTIONS = ['a red bird', '', 'WINGS \u2713', 'x' * 1000, 'nul \x00']

# The code of another project: it has TensorFlow, but neither this package nor TF Hub.
FRESH = """
import sys
sys.modules['stackgan_tf'] = sys.modules['tensorflow_hub'] = sys.modules['gin'] = None  # importing them fails
import numpy as np, tensorflow as tf
loaded = tf.saved_model.load('encoder')
captions = tf.constant(np.load('captions.npy').tolist())
np.savez(
    'found.npz',
    called=loaded(captions), served=loaded.signatures['serving_default'](caption=captions)['embedding'],
    images=loaded.encode_images(np.load('images.npy')),
    embedded=loaded.signatures['embed_images'](image=tf.constant(np.load('images.npy')))['embedding'],
    about=[loaded.fingerprint().numpy().decode(), str(int(loaded.image_size()))],
)
"""


@pytest.fixture(scope='module')
def encoder():
    keras.utils.set_random_seed(0)
    network = CharCNNRNN(widths=(8, 8, 8), recurrence='gru', dimension=12, initial_range=0.0)
    network.build((None, LENGTH))
    tower = ImageEncoder(size=8, width=4, dimension=12)
    tower.build((None, 8, 8, 3))
    return CharacterEncoder(network, tower)


@pytest.fixture(scope='module')
def exported(encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp('export')
    export_text_encoder(encoder, folder / 'encoder')
    return folder


def test_a_fresh_process_with_tensorflow_alone_gives_the_same_vectors(encoder, exported):
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 3)).astype('float32')
    np.save(exported / 'images.npy', images)
    np.save(exported / 'captions.npy', np.array([text.encode() for text in CAPTIONS], object).astype('S'))
    np.save(exported / 'captions.npy', np.array(CAPTIONS))
    subprocess.run([sys.executable, '-c', FRESH], cwd=exported, check=True, timeout=120)
    found = np.load(exported / 'found.npz')
    here = tf.function(encoder.__call__)(tf.constant(np.load(exported / 'captions.npy').tolist()))
    for name in ('called', 'served'):
        np.testing.assert_allclose(found[name], here, rtol=0, atol=1e-6)
    for name in ('images', 'embedded'):
        np.testing.assert_allclose(found[name], encoder.encode_images(images), rtol=0, atol=1e-5)
    assert found['about'].tolist() == [encoder.fingerprint, '8']


def test_an_export_is_a_text_encoder_with_the_same_fingerprint(encoder, exported):
    loaded = SavedEncoder(str(exported / 'encoder'))
    assert (loaded.dimension, loaded.fingerprint, loaded.image_size) == (12, encoder.fingerprint, 8)
    assert loaded.encode_images(tf.zeros((2, 8, 8, 3))).shape == (2, 12)
    assert loaded.alphabet == 'ascii'


def test_an_export_of_an_export_is_still_the_same(encoder, exported, tmp_path):
    export_text_encoder(SavedEncoder(str(exported / 'encoder')), tmp_path / 'again')
    again = SavedEncoder(str(tmp_path / 'again'))
    captions = tf.constant(CAPTIONS)
    np.testing.assert_allclose(again(captions), encoder(captions), rtol=0, atol=1e-6)
    assert again.fingerprint == encoder.fingerprint


def test_an_encoder_of_text_alone(encoder, tmp_path):
    alone = CharacterEncoder(encoder._network)
    export_text_encoder(alone, tmp_path / 'alone')
    loaded = SavedEncoder(str(tmp_path / 'alone'))
    assert loaded.image_size is None
    with pytest.raises(UserError, match='cannot read them'):
        loaded.encode_images(tf.zeros((1, 8, 8, 3)))


def test_an_encoder_over_bytes_reads_any_script_without_this_package(tmp_path):
    keras.utils.set_random_seed(0)
    network = CharCNNRNN(widths=(8, 8, 8), recurrence='relu', dimension=12, initial_range=0.0, alphabet='bytes')
    network.build((None, network.length))
    encoder = CharacterEncoder(network)
    export_text_encoder(encoder, tmp_path / 'bytes')
    captions = tf.constant(['\u7ea2\u8272', '\u7eff\u8272', 'x' * 300 + 'a', 'x' * 300 + 'b', '\u0416', '\u0436', ''])
    loaded = tf.saved_model.load(str(tmp_path / 'bytes'))
    vectors = loaded(captions).numpy()
    np.testing.assert_allclose(vectors, encoder(captions), rtol=0, atol=1e-6)
    assert len(np.unique(vectors.round(7), axis=0)) == 6  # only the two cases of a letter are the same
    assert SavedEncoder(str(tmp_path / 'bytes')).alphabet == encoder.alphabet == 'bytes'


def test_an_export_never_overwrites(encoder, exported):
    with pytest.raises(UserError, match='exists'):
        export_text_encoder(encoder, exported / 'encoder')
