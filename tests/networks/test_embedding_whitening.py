import numpy as np
from layer_harness import check_layer

from stackgan_tf.networks.embedding_whitening import FLOOR, EmbeddingWhitening
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
