"""Figures of generated images, with a tiny model; every image is one that `generate` gives."""

import numpy as np
import pytest
from small_models import tree_network
from tiny_text_model import text_generator

from stackgan_tf.figures.fixed_noise import fixed_noise_rows
from stackgan_tf.figures.interpolation import caption_rows, closed_walk, walk_images
from stackgan_tf.figures.latents import images_of_latents, noise_of
from stackgan_tf.figures.samples import sample_rows
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.system.errors import UserError

CAPTIONS = ['a red bird', 'a blue bird with a long beak']


@pytest.fixture(scope='module')
def model():
    return text_generator()


@pytest.fixture(scope='module')
def embeddings(model):
    return model.embed(CAPTIONS)


def same(images, others):
    """Equal but for a gray level: sizes of batches change the order of additions."""
    return np.abs(images.astype(int) - others.astype(int)).max() <= 1


def test_a_row_for_each_caption_model_and_scale(model, embeddings):
    models = {'one': (model, embeddings), 'two': (model, embeddings[::-1])}
    rows = sample_rows(models, CAPTIONS, [3, 4], every_size=True)
    assert [label.split('\n') for label, _ in rows[:3]] == [
        [CAPTIONS[0], 'one', '8 pixels'],
        [CAPTIONS[0], 'one', '16 pixels'],
        [CAPTIONS[0], 'two', '8 pixels'],
    ]
    assert len(rows) == 8
    np.testing.assert_array_equal(rows[1][1], model.generate([CAPTIONS[0]] * 2, seed=3))
    np.testing.assert_array_equal(rows[3][1], model.generate([CAPTIONS[1]] * 2, seed=3))


def test_one_noise_is_fixed(model, embeddings):
    rows = fixed_noise_rows(model, CAPTIONS, embeddings, [5, 6, 7])
    assert len(rows) == 4
    for number, caption in enumerate(CAPTIONS):
        generated = model.generate([caption] * 3, seed=5)
        pair = rows[2 * number : 2 * number + 2]
        for label, images in pair:
            assert label.startswith(caption)
            assert same(images[0], generated[0])
        assert not same(pair[0][1][1], pair[1][1][1])
        assert not same(pair[0][1][1], generated[1])


def test_captions_are_interpolated_between_their_own_images(model):
    embeddings = np.random.default_rng(0).normal(size=(2, 12)).astype(np.float32)
    rows = caption_rows(model, embeddings, [9], 5)
    assert [label for label, _ in rows] == ['noise 0, as in the paper', 'noise of seed 9']
    for noise, (_, images) in zip([np.zeros((1, 5)), noise_of(model, np.array([9]))], rows, strict=True):
        ends = [images_of_latents(model, noise, each[None]) for each in embeddings]
        assert same(images[[0, -1]], np.concatenate(ends))
        assert not same(images[2], images[0])


def test_a_walk_keeps_the_length_of_noise_and_passes_the_seeds(model, embeddings):
    stops = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    walk = closed_walk(stops, 4)
    np.testing.assert_allclose(walk[::4], stops, atol=1e-5)
    lengths = np.linalg.norm(stops, axis=1)
    assert np.linalg.norm(walk, axis=1).min() > 0.99 * lengths.min()
    steps = np.linalg.norm(np.diff(walk, axis=0), axis=1)
    assert steps.max() < 1.5 * steps.min()
    frames = walk_images(model, embeddings, [1, 2], 3)
    assert frames.shape == (6, 2, 16, 16, 3)
    assert same(frames[3, 1], model.generate([CAPTIONS[1]], seed=2)[0])


def test_a_walk_between_parallel_stops_is_straight():
    walk = closed_walk(np.array([[1, 0], [2, 0]], np.float32), 2)
    np.testing.assert_allclose(walk, [[1, 0], [1.5, 0], [2, 0], [1.5, 0]])


def test_an_unconditional_model_has_no_conditioning_noise(model):
    with pytest.raises(UserError, match='no conditioning noise'):
        fixed_noise_rows(model, [], None, [1])


def test_models_without_captions_walk_and_have_samples():
    network = tree_network()
    model = NetworkGenerator(network)
    assert same(walk_images(model, None, [4, 5], 2)[2, 0], model.generate(seeds=[5])[0])
    ((label, images),) = sample_rows({'one': (model, None)}, [], [4, 5])
    assert label == 'noise alone'
    np.testing.assert_array_equal(images, model.generate(seeds=[4, 5]))


def test_models_of_classes_get_their_labels():
    network = tree_network(sizes=(8,), embedding_dimension=3)
    model = NetworkGenerator(network, class_names=('cat', 'dog', 'bird'))
    rows = fixed_noise_rows(model, ['dog'], model.embed(['dog']), [6, 7])
    assert same(rows[0][1][0], model.generate(['dog'], seed=6)[0])
