import keras
import numpy as np
import pytest

from stackgan_tf.evaluation.discriminator_features import DiscriminatorFeatures, discriminator_scores
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
SCALED = IMAGES.astype(np.float32) / 127.5 - 1
EMBEDDINGS = np.random.default_rng(1).normal(size=(3, 6)).astype(np.float32)


def discriminator(**settings):
    keras.utils.set_random_seed(0)
    network = ScaleDiscriminator(size=8, width=4, **settings)
    network.build((None, 8, 8, 3))
    return network


def generator():
    network = TreeGenerator(
        sizes=(8, 16), noise_dimension=5, generator_width=8, residual_blocks=0, embedding_dimension=6,
        condition_dimension=3, whitening=True,
    )  # fmt: skip
    network.build((None, 5))
    network.whiten.fit(np.random.default_rng(2).normal(3, 2, (50, 6)).astype(np.float32))
    return network


def test_features_are_those_before_the_heads():
    network = discriminator()
    features = DiscriminatorFeatures(network)(IMAGES).features
    np.testing.assert_allclose(features, np.reshape(network.features(SCALED), (3, -1)), rtol=1e-4, atol=1e-5)


def test_the_score_without_a_condition_is_the_logit():
    network = discriminator()
    np.testing.assert_allclose(discriminator_scores(None, network, IMAGES), network(SCALED), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('projection', [0, 4])
def test_the_condition_is_mu_or_the_whitened_embedding_that_is_projected(projection):
    made = generator()
    network = discriminator(condition_dimension=6 if projection else 3, projection=projection)
    condition = made.whiten(EMBEDDINGS)
    if not projection:
        _, condition, _ = made.augment(condition, np.ones((3, 3), np.float32))
    conditional, unconditional = network(SCALED, condition)
    scores = discriminator_scores(made, network, IMAGES, EMBEDDINGS)
    np.testing.assert_allclose(scores, np.asarray(conditional) + np.asarray(unconditional), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('conditional', [True, False])
def test_the_condition_of_stage_two_is_its_own_or_else_that_of_stage_one(conditional):
    stages = {'generator_width': 4, 'embedding_dimension': 6}
    one = StageOneGenerator(size=8, noise_dimension=5, condition_dimension=3, **stages)
    two = StageTwoGenerator(
        stage_one_size=8, size=16, residual_blocks=1, condition_dimension=2, conditional=conditional, **stages
    )
    made = StackedGenerator(stage_one=one, stage_two=two)
    made.build((None, 5))
    reader = two if conditional else one
    network = discriminator(condition_dimension=2 if conditional else 3)
    dimension = reader.condition_dimension
    _, mu, _ = reader.augment(reader.read(EMBEDDINGS), np.ones((3, dimension), np.float32))
    scores = discriminator_scores(made, network, IMAGES, EMBEDDINGS)
    np.testing.assert_allclose(scores, np.sum(network(SCALED, mu), axis=0), rtol=1e-4, atol=1e-5)
