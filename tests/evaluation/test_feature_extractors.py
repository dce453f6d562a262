"""Feature extractors: their inputs and outputs, each adapter with a stand-in or random weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from feature_extractors import MeanColours, TfganStandIn

from stackgan_tf.evaluation.classifier_features import ClassifierFeatures
from stackgan_tf.evaluation.inception_features import KerasInception, TfganInception
from stackgan_tf.evaluation.resizing import clean_resize, legacy_resize
from stackgan_tf.evaluation.saved_features import SavedFeatures
from stackgan_tf.networks.attribute_classifier import AttributeClassifierNetwork
from stackgan_tf.networks.class_classifier import ClassClassifierNetwork
from stackgan_tf.saved_models.classifier_module import export_classifier
from stackgan_tf.system.errors import UserError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (7, 16, 16, 3), np.uint8)


@pytest.mark.parametrize(
    ('images', 'what'),
    [
        (IMAGES / 255.0, 'float64'),
        (IMAGES[..., :1], r'\[7, 16, 16, 1\]'),
        (IMAGES.astype(np.int32), 'int32'),
        (IMAGES[0], 'uint8'),
    ],
)
def test_only_uint8_images_of_three_channels_are_accepted(images, what):
    with pytest.raises(UserError, match=what):
        MeanColours()(images)


def test_features_that_are_not_finite_are_refused():
    class Broken(MeanColours):
        def extract(self, images):
            return images[:, 0, 0] / 0.0, None

    with pytest.raises(UserError, match='not finite'):
        Broken()(IMAGES)


def test_the_resize_is_the_one_that_is_named():
    for resize, function in (('clean', clean_resize), ('legacy', legacy_resize)):
        small = MeanColours(6, resize)(IMAGES).features.reshape(-1, 2, 2, 3)
        expected = tf.nn.avg_pool2d(function(tf.constant(IMAGES), 6) / 255.0, 3, 3, 'VALID')
        np.testing.assert_allclose(small, expected, atol=1e-6)
        assert f'{resize} resize to 6 pixels' in MeanColours(6, resize).title
    with pytest.raises(UserError, match="no resize 'bicubic': there are clean, legacy"):
        MeanColours(6, 'bicubic')


def test_keras_inception_is_the_network_of_keras():
    keras.utils.set_random_seed(0)
    network = KerasInception('', 'clean')
    found = network(IMAGES[:2])
    assert found.features.shape == (2, 2048)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, rtol=1e-5)
    keras.utils.set_random_seed(0)
    expected = keras.applications.InceptionV3(weights=None)
    inputs = clean_resize(tf.constant(IMAGES[:2]), 299) / 127.5 - 1
    np.testing.assert_allclose(found.probabilities, expected(inputs, training=False), rtol=1e-3)


def test_missing_weights_are_one_line():
    with pytest.raises(UserError, match=r"no weights '/nowhere.h5' for InceptionV3") as raised:
        KerasInception('/nowhere.h5')
    assert '\n' not in str(raised.value)


def test_a_copy_of_tfgans_inception(tmp_path):
    tf.saved_model.save(TfganStandIn(), str(tmp_path / 'copy'))
    network = TfganInception(str(tmp_path / 'copy'), 'legacy')
    found = network(IMAGES)
    means = ((legacy_resize(tf.constant(IMAGES), 299).numpy() - 128) / 128).mean((1, 2))
    np.testing.assert_allclose(found.features, np.tile(means, 4), atol=1e-5)
    np.testing.assert_allclose(found.probabilities, tf.nn.softmax(3 * means), atol=1e-5)
    assert network.fingerprint == TfganInception(str(tmp_path / 'copy')).fingerprint


def test_something_else_is_not_tfgans_inception(tmp_path):
    class Other(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 299, 299, 3), tf.float32)])
        def __call__(self, images):
            return images[:, 0, 0]

    tf.saved_model.save(Other(), str(tmp_path / 'other'))
    with pytest.raises(UserError, match="is not TF-GAN's Inception"):
        TfganInception(str(tmp_path / 'other'))
    # It maps images to vectors nevertheless.
    found = SavedFeatures(str(tmp_path / 'other'), 299)(IMAGES)
    assert found.features.shape == (7, 3)
    assert found.probabilities is None
    with pytest.raises(UserError, match='does not state its input size'):
        SavedFeatures(str(tmp_path / 'other'))


def test_a_saved_model_that_does_not_map_images_to_vectors(tmp_path):
    class Maps(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 3), tf.float32)])
        def __call__(self, images):
            return images

    tf.saved_model.save(Maps(), str(tmp_path / 'maps'))
    with pytest.raises(UserError, match=r'does not map images of 8 pixels to vectors: it maps two images to \['):
        SavedFeatures(str(tmp_path / 'maps'), 8)


def classifier():
    keras.utils.set_random_seed(1)
    network = AttributeClassifierNetwork(size=16, choices=(3, 2), width=4)
    network.build((None, 16, 16, 3))
    return network


def test_a_classifiers_features_and_every_combination_of_its_attributes():
    network = classifier()
    found = ClassifierFeatures(network)(IMAGES)
    first, second = (tf.nn.softmax(logits).numpy() for logits in network(IMAGES / 127.5 - 1))
    joint = [[p * q for p in one for q in other] for one, other in zip(first, second, strict=True)]
    np.testing.assert_allclose(found.probabilities, joint, rtol=1e-4)
    kernel, bias = (weight.numpy() for weight in network.encoder.embed.weights)
    logits = found.features @ kernel + bias
    np.testing.assert_allclose(logits, np.concatenate(network(IMAGES / 127.5 - 1), 1), atol=1e-4)


def test_a_class_classifiers_features():
    keras.utils.set_random_seed(1)
    network = ClassClassifierNetwork(size=32, backbone='MobileNetV2', classes=5)
    network.build((None, 32, 32, 3))
    found = ClassifierFeatures(network)(IMAGES)
    inputs = clean_resize(tf.constant(IMAGES), 32) / 127.5 - 1
    np.testing.assert_allclose(found.probabilities, tf.nn.softmax(network(inputs)), atol=1e-4)
    assert found.features.shape == (7, 1280)


def test_an_exported_classifier_has_the_same_features(tmp_path):
    network = classifier()
    export_classifier(network, tmp_path / 'export')
    expected, found = ClassifierFeatures(network)(IMAGES), SavedFeatures(str(tmp_path / 'export'))(IMAGES)
    np.testing.assert_allclose(found.features, expected.features, atol=1e-4)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-4)


def test_features_do_not_depend_on_the_batch():
    network = ClassifierFeatures(classifier())
    whole = network(IMAGES).features
    parts = np.concatenate([network(IMAGES[:3]).features, network(IMAGES[3:4]).features, network(IMAGES[4:]).features])
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_the_fingerprint_is_of_the_weights():
    network = classifier()
    before = ClassifierFeatures(network).fingerprint
    assert ClassifierFeatures(classifier()).fingerprint == before
    network.encoder.embed.bias.assign_add([1e-3] * 5)
    assert ClassifierFeatures(network).fingerprint != before
