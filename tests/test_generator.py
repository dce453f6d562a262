import numpy as np
import pytest
import tensorflow as tf
from captioned import WordEncoder
from small_models import tree_network

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.seeded_images import noise_of_seeds, to_uint8
from stackgan_tf.system.errors import UserError


@pytest.fixture(scope='module')
def model():
    network = tree_network()
    return NetworkGenerator(network)


def test_pixels():
    assert to_uint8(tf.constant([-1.0, -0.999, 0.0, 1.0, 1.5])).numpy().tolist() == [0, 0, 128, 255, 255]


def test_generate_takes_a_count_and_gives_the_largest_scale(model):
    images = model.generate(3)
    assert images.shape == (3, 16, 16, 3)
    assert images.dtype == np.uint8


def test_every_size(model):
    assert {size: image.shape for size, image in model.generate(2, every_size=True).items()} == {
        8: (2, 8, 8, 3),
        16: (2, 16, 16, 3),
    }


def test_an_image_depends_on_its_seed_alone(model):
    many = model.generate(17, seed=3)
    np.testing.assert_array_equal(many[4:7], model.generate(3, seed=7))
    np.testing.assert_array_equal(many[[9, 0]], model.generate(seeds=[12, 3]))
    assert not np.array_equal(many[0], many[1])


def test_noise_of_a_seed_is_standard_normal_and_fixed_forever():
    drawn = noise_of_seeds(tf.range(500, dtype=tf.int64), 40).numpy()
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1) < 0.03
    # A seed must give the same image in every version: these numbers may not change.
    np.testing.assert_allclose(
        drawn[7, :3], [-0.6741727590560913, -0.35869255661964417, -1.8795816898345947], rtol=1e-5
    )


def test_latent_is_what_generate_draws(model):
    images = model.latent(noise_of_seeds(tf.constant([5], tf.int64), 5))
    np.testing.assert_array_equal(to_uint8(images[16])[0], model.generate(1, seed=5)[0])


@pytest.mark.parametrize(
    'arguments', [{}, {'conditions': 0}, {'conditions': 2.5}, {'conditions': 2, 'seeds': [1]}, {'conditions': ['red']}]
)
def test_what_generate_refuses(model, arguments):
    with pytest.raises(UserError):
        model.generate(**arguments)


@pytest.fixture(scope='module')
def conditional():
    network = tree_network(embedding_dimension=4)
    return NetworkGenerator(network, WordEncoder())


def test_an_image_depends_on_its_caption_and_seed_alone(conditional):
    captions = ['red 1', 'blue 2', 'red 1', 'green']
    assert conditional.kind == 'text'
    many = conditional.generate(captions, seed=3)
    np.testing.assert_array_equal(many[1:3], conditional.generate(captions[1:3], seeds=[4, 5]))
    np.testing.assert_array_equal(many[[3]], conditional.generate('green', seed=6))
    assert (conditional.generate(['red 1'] * 2, seeds=[1, 1]).std(axis=0) == 0).all()
    assert not np.array_equal(*conditional.generate(['red 1', 'blue 1'], seeds=[1, 1]))
    np.testing.assert_array_equal(many, conditional.generate(conditional.embed(captions), seed=3))


def test_a_model_of_embeddings(conditional):
    model = NetworkGenerator(conditional.network)
    assert model.kind == 'embedding'
    embeddings = np.eye(2, 4)
    assert model.generate(embeddings).shape == (2, 16, 16, 3)
    zeros = tf.zeros((2, 5))
    mean, drawn = model.latent(zeros, embeddings)[16], model.latent(zeros, embeddings, tf.ones((2, 3)))[16]
    assert (mean.numpy() != drawn.numpy()).any()


@pytest.mark.parametrize('what', [None, 3, [], [3], ['red', 4], np.ones((2, 3)), np.ones(4)])
def test_what_a_conditional_model_refuses(conditional, what):
    with pytest.raises(UserError, match=r'takes a list of captions, or embeddings \[N, 4\]'):
        conditional.generate(what)


def test_strings_for_a_model_of_embeddings_and_seeds_that_do_not_fit(conditional):
    with pytest.raises(UserError, match='embeddings of 4 numbers and has no text encoder: embed the captions with'):
        NetworkGenerator(conditional.network).generate(['red'])
    with pytest.raises(UserError, match='2 images need as many seeds, not 3'):
        conditional.generate(['red', 'blue'], seeds=[1, 2, 3])
    with pytest.raises(UserError, match='this model is text: it takes an embedding'):
        conditional.latent(tf.zeros((1, 5)))


def test_there_is_no_text_encoder(model):
    with pytest.raises(UserError, match='no text encoder'):
        model.embed(['a red bird'])


@pytest.fixture(scope='module')
def classes():
    network = tree_network(embedding_dimension=3)
    return NetworkGenerator(network, class_names=('finch', 'owl', '0'))


def test_a_model_of_classes_takes_labels_and_names(classes):
    assert classes.kind == 'class'
    by_name = classes.generate(['owl', 'finch', '1'], seeds=[4, 5, 6])
    np.testing.assert_array_equal(by_name, classes.generate([1, 0, 1], seeds=[4, 5, 6]))
    np.testing.assert_array_equal(by_name[:1], classes.generate(1, seed=4))
    np.testing.assert_array_equal(by_name[:1], classes.generate(np.array([1]), seed=4))
    np.testing.assert_array_equal(by_name[:1], classes.generate(np.eye(3)[[1]], seed=4))
    # A class that is called 0 is meant by '0', the first one by 0.
    np.testing.assert_array_equal(classes.embed(['0', 0]), np.eye(3)[[2, 0]])
    image = classes.latent(
        noise_of_seeds(tf.constant([4], tf.int64), 5), [1], noise_of_seeds(tf.constant([4], tf.int64), 3, 1)
    )
    np.testing.assert_array_equal(to_uint8(image[16]), by_name[:1])


@pytest.mark.parametrize('what', [[3], [-1], ['ow'], [1.0], None, [True, 'x'], ['']])
def test_classes_that_there_are_not(classes, what):
    with pytest.raises(UserError, match='this model has no class'):
        classes.generate(what)


def test_a_close_name_is_suggested(classes):
    with pytest.raises(UserError, match='did you mean finch'):
        classes.generate(['fnich'])
    with pytest.raises(UserError, match='this model is class: it takes a label'):
        classes.latent(tf.zeros((1, 5)))
