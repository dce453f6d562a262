import keras
import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.image_encoder import BACKBONES, BackboneEncoder, ImageEncoder


def images(size, count=2):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype('float32')


@pytest.mark.parametrize('size', [8, 32])
def test_network(size, tmp_path):
    check_layer(lambda: ImageEncoder(size=size, width=4, dimension=6), (images(size),), ((2, 6),), tmp_path)


def test_number_of_parameters():
    network = ImageEncoder(size=16, width=4, dimension=10)
    network.build((None, 16, 16, 3))
    # Convolutions, four numbers per channel of batch normalization, and the linear layer.
    assert network.count_params() == 16 * 3 * 4 + 4 * 4 + 16 * 4 * 8 + 4 * 8 + (16 * 8 * 10 + 10)


def test_sizes_are_checked():
    with pytest.raises(ValueError, match='48'):
        ImageEncoder(size=48)


def backbone(name='MobileNetV2'):
    keras.utils.set_random_seed(0)
    network = BackboneEncoder(size=32, backbone=name, dimension=6)
    network.build((None, 32, 32, 3))
    return network


def test_only_the_last_layer_of_a_backbone_is_trainable():
    network = backbone()
    assert [variable.shape for variable in network.trainable_variables] == [(1280, 6), (6,)]
    np.testing.assert_array_equal(network(images(32), training=True), network(images(32), training=False))
    copy = BackboneEncoder.from_config(network.get_config())
    assert (copy.backbone, copy.size, copy.dimension) == ('MobileNetV2', 32, 6)


def test_load_features_from_a_weights_file(tmp_path):
    trained = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3), pooling='avg')
    trained.save_weights(tmp_path / 'trained.weights.h5')
    network = backbone()
    network.load_features(str(tmp_path / 'trained.weights.h5'))
    # The features equal those of the network alone, on images preprocessed as it expects: [-1, 1].
    expected = trained(images(32), training=False) @ network.embed.kernel + network.embed.bias
    np.testing.assert_allclose(network(images(32)), expected, atol=1e-4)


def test_images_are_preprocessed_in_float32_under_a_mixed_policy():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy('mixed_bfloat16')
    try:
        network = backbone()
    finally:
        keras.config.set_dtype_policy(before)
    given = []
    network.features = lambda image, training: given.append(image) or keras.ops.zeros((2, 1280), 'bfloat16')
    network(images(32))
    np.testing.assert_allclose(given[0], images(32), atol=1e-6)  # this backbone reads [-1, 1]


def test_every_backbone_preprocesses_images():
    assert {'InceptionV3', 'ResNet50', 'VGG16', 'MobileNetV3Small'} <= set(BACKBONES)
    for name in ('VGG16', 'MobileNetV3Small'):
        assert np.isfinite(backbone(name)(images(32))).all()
