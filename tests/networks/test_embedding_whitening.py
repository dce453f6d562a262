import keras
import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.embedding_whitening import FLOOR, EmbeddingWhitening
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator

RNG = np.random.default_rng(0)
MIX = RNG.normal(size=(6, 6)) @ np.diag([3, 1, 0.3, 0.1, 0.001, 0])
EMBEDDINGS = (RNG.normal(size=(5000, 6)) @ MIX.T + 2).astype('float32')


def test_layer(tmp_path):
    check_layer(EmbeddingWhitening, (EMBEDDINGS[:3],), ((3, 6),), tmp_path)


def test_the_layer_is_the_identity_until_it_is_fitted():
    layer = EmbeddingWhitening()
    np.testing.assert_array_equal(layer(EMBEDDINGS), EMBEDDINGS)
    assert not layer.trainable_variables


def test_informative_directions_have_equal_variance():
    layer = EmbeddingWhitening()
    layer.build((None, 6))
    layer.fit(EMBEDDINGS)
    whitened = np.asarray(layer(EMBEDDINGS))
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-3)
    before = np.linalg.eigvalsh(np.cov(EMBEDDINGS, rowvar=False))
    after = np.linalg.eigvalsh(np.cov(whitened, rowvar=False))
    expected = before / (before + FLOOR * before.max())
    np.testing.assert_allclose(np.sort(after), np.sort(expected * 6 / expected.sum()), atol=4e-3)
    np.testing.assert_allclose(np.square(whitened).mean(), 1, atol=1e-2)
    # The result does not depend on the scale of the embeddings.
    layer.fit(100 * EMBEDDINGS)
    np.testing.assert_allclose(layer(100 * EMBEDDINGS), whitened, atol=2e-3)


@pytest.mark.parametrize('count', [1, 300])
@pytest.mark.parametrize('value', [0.0, 0.1, -12345.678])
def test_embeddings_that_are_all_alike_are_centered_and_not_scaled(count, value):
    alike = np.full((count, 6), value, 'float32') * np.arange(1, 7, dtype='float32')
    alike[::2] *= np.float32(1 + 1.2e-7)  # two rows of a batch may differ in the last bits
    layer = EmbeddingWhitening()
    layer.build((None, 6))
    layer.fit(alike)
    np.testing.assert_array_equal(layer.matrix, np.eye(6))
    np.testing.assert_allclose(layer(alike), 0, atol=1e-6 * np.abs(alike).max() + 1e-30)


def test_the_tree_reads_whitened_embeddings():
    settings = {'noise_dimension': 4, 'generator_width': 8, 'residual_blocks': 1, 'embedding_dimension': 6}
    plain, whitened = (
        TreeGenerator(sizes=(8,), **settings, condition_dimension=3, whitening=each) for each in (False, True)
    )
    for network in (plain, whitened):
        network.build((None, 4))
    assert plain.count_params() + 6 + 36 == whitened.count_params()
    whitened.whiten.fit(EMBEDDINGS)
    for one, other in zip(plain.variables, [v for v in whitened.variables if 'whitening' not in v.path], strict=True):
        other.assign(one)
    z, epsilon = RNG.normal(size=(2, 4)).astype('float32'), np.zeros((2, 3), 'float32')
    read = whitened.read(EMBEDDINGS[:2])
    np.testing.assert_allclose(whitened(z, EMBEDDINGS[:2], epsilon)[0], plain(z, read, epsilon)[0], atol=1e-6)


@pytest.fixture(params=['mixed_bfloat16', 'mixed_float16'])
def mixed_policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


def test_narrow_embeddings_are_whitened_in_float32_under_any_policy(mixed_policy):
    """A network whitens what an export in float32 whitens, in training and where it is called whole."""
    settings = {'embedding_dimension': 6, 'condition_dimension': 3, 'whitening': True}
    tree = TreeGenerator(sizes=(8,), noise_dimension=4, generator_width=8, residual_blocks=1, **settings)
    one = StageOneGenerator(size=8, noise_dimension=4, generator_width=4, **settings)
    two = StageTwoGenerator(stage_one_size=8, size=16, generator_width=4, residual_blocks=1, **settings)
    stacked = StackedGenerator(stage_one=one, stage_two=two)
    for network, shape in ((tree, (None, 4)), (stacked, (None, 4))):
        network.build(shape)
    narrow = (0.5 + 0.0005 * RNG.normal(size=(500, 6))).astype('float32')
    z, epsilon = RNG.normal(size=(4, 4)).astype('float32'), RNG.normal(size=(4, 6)).astype('float32')
    for network in (tree, one, two):
        network.whiten.fit(narrow)
        expected = (narrow - np.asarray(network.whiten.mean, 'f8')) @ np.asarray(network.whiten.matrix, 'f8')
        np.testing.assert_allclose(network.read(narrow), expected, atol=1e-2)
    conditions = [network.augment(network.read(narrow[:4]), epsilon[:, :3])[0] for network in (tree, one)]
    np.testing.assert_array_equal(tree(z, narrow[:4], epsilon[:, :3])[0], tree.images(z, conditions[0])[0])
    (small,) = one.images(z, conditions[1])
    (large,) = two.images(small, two.augment(two.read(narrow[:4]), epsilon[:, 3:])[0])
    for image, expected in zip(stacked(z, narrow[:4], epsilon), (small, large), strict=True):
        np.testing.assert_array_equal(image, expected)
