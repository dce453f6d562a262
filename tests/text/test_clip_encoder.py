"""CLIP's towers against the backbone of keras-hub that they come from."""

import sys

import clip_words
import numpy as np
import pytest
import tensorflow as tf
from captioned import Captioned
from tiny_text_model import text_generator

import stackgan_tf
from stackgan_tf.data.captions import Captions
from stackgan_tf.data.embeddings import ClipText
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.saved_models.generator_export import export_generator
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.clip_encoder import ClipEncoder

CAPTIONS = tf.constant([*clip_words.TOKENS, '', 'a small red bird'])


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    """A folder with a tiny random CLIP, and its backbone."""
    pytest.importorskip('keras_hub', reason="needs the extra 'clip'")
    folder = tmp_path_factory.mktemp('clip') / 'tiny'
    return folder, clip_words.save_clip(folder)


def unit(vectors):
    vectors = np.array(vectors)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_captions_and_images_have_the_features_of_the_backbone(saved):
    folder, backbone = saved
    encoder = stackgan_tf.load_text_encoder(f'clip:{folder}')
    assert (encoder.dimension, encoder.image_size) == (12, 32)
    found = tf.function(encoder.__call__)(CAPTIONS)
    numbers = np.zeros((5, 77), np.int32)
    for row, published in enumerate([*clip_words.TOKENS.values(), [], [320, 2442, 736, 3329]]):
        numbers[row, : len(published) + 2] = [clip_words.START, *published, clip_words.END]
    np.testing.assert_allclose(found, unit(backbone.get_text_embeddings(numbers)), atol=1e-5)
    assert np.ptp(found, axis=0).max() > 0.1
    np.testing.assert_allclose(found[3:4], encoder(CAPTIONS[3:4]), atol=1e-5)  # alone, a caption has the same
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    normalized = images * [0.015, 0.016, 0.014] + [-1.8, -1.7, -1.5]
    expected = unit(backbone.get_vision_embeddings(normalized.astype(np.float32)))
    np.testing.assert_allclose(encoder.encode_images(images / 127.5 - 1), expected, atol=1e-5)


def test_fingerprints_are_of_the_weights_and_without_the_image_tower_too(saved, tmp_path):
    folder, _ = saved
    encoder, words = ClipEncoder(str(folder), images=True), ClipEncoder(str(folder))
    assert encoder.fingerprint == words.fingerprint
    assert (words.image_size, words.image_hash) == (None, '')
    assert len(words._variables) < len(encoder._variables)
    with pytest.raises(UserError, match='not trained with images'):
        words.encode_images(tf.zeros((1, 32, 32, 3)))
    clip_words.save_clip(tmp_path / 'other', seed=1)
    other = ClipEncoder(str(tmp_path / 'other'), images=True)
    assert encoder.fingerprint != other.fingerprint
    assert encoder.image_hash != other.image_hash


def test_a_generator_with_it_is_exported_and_reads_captions_with_tensorflow_alone(saved, tmp_path):
    encoder = ClipEncoder(str(saved[0]))
    generator = NetworkGenerator(text_generator().network, encoder)
    export_generator(generator, tmp_path / 'export')  # compares it with a process without tensorflow-text
    loaded = stackgan_tf.load(tmp_path / 'export')
    captions = [*clip_words.TOKENS]
    np.testing.assert_allclose(loaded.embed(captions), encoder(tf.constant(captions)), atol=1e-5)
    assert loaded.generate(captions, seed=3).shape == (3, 16, 16, 3)


def test_what_is_no_clip_is_refused(saved, tmp_path):
    with pytest.raises(UserError, match=r'there is no CLIP .*nothing.*: name a folder with a preset, or clip_vit'):
        ClipEncoder(str(tmp_path / 'nothing'))
    with pytest.raises(UserError, match=r'no CLIP can be loaded from .*has no config\.json'):
        ClipEncoder(str(tmp_path))
    clip_words.save_clip(tmp_path / 'words', converter=False)
    assert ClipEncoder(str(tmp_path / 'words')).dimension == 12
    with pytest.raises(UserError, match='does not say how images are normalized'):
        ClipEncoder(str(tmp_path / 'words'), images=True)


def test_without_keras_hub_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'keras_hub', None)
    with pytest.raises(UserError, match=r"CLIP needs keras-hub .*: pip install 'stackgan-tf\[clip\]'"):
        ClipEncoder('clip_vit_base_patch32')


def test_embeddings_of_a_data_set(saved, tmp_path, monkeypatch, capsys):
    class Wordy(Captioned):
        def captions(self):
            return Captions([['a photo'], ['a ' * 76], ['a cat', 'a bird']])

    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path))
    folder = str(saved[0])
    embeddings = ClipText(Wordy(3), folder)
    assert '1 of 4 captions of colored squares have more' in capsys.readouterr().out
    again = stackgan_tf.load_text_encoder(embeddings.condition_source['text_encoder'])  # as a run opens it
    assert embeddings.fingerprint == again.fingerprint
    drawn = embeddings.drawn(tf.constant([0, 2], tf.int64), tf.constant([0.0, 0.9]))
    np.testing.assert_allclose(drawn, again(tf.constant(['a photo', 'a bird'])), atol=1e-5)
    ClipText(Captioned(3), folder)
    assert 'tokens' not in capsys.readouterr().out
