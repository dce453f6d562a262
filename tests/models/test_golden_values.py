"""Losses and gradients of one step of a tiny StackGAN-v2 against float64 NumPy, which shares no code with it.

The test covers a whole step: the discriminators are updated first, and the updated ones give the loss of the tree. The
gradients are those that the step gave to its optimizers. For each weight, the derivative of NumPy's loss along the
gradient's direction, by central differences, must be the gradient's norm; along a random direction, the projection of
the gradient on it.
"""

import keras
import numpy as np
import numpy_stackgan_v2 as golden
import pytest
import tensorflow as tf
from small_models import build

from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.stackgan_v2 import StackGANv2

STEP = 1e-6  # of central differences, along a unit vector
COLOR_WEIGHT, KL_WEIGHT = 3.0, 2.0
EMBEDDING, CONDITION, NOISE = 6, 5, 4
LABELS = np.array([0, 0, 1, 2])
PARTNERS = [2, 2, 3, 0]  # the next row of another class


class OneStep:
    """One step of the model, what it recorded and gave to its optimizers, and weights before and after."""

    def __init__(self):
        keras.utils.set_random_seed(0)
        self.model = build(
            StackGANv2,
            sizes=(8, 16, 32),
            batch_size=4,
            noise_dimension=NOISE,
            generator_width=8,
            discriminator__width=2,
            residual_blocks=1,
            embedding_dimension=EMBEDDING,
            condition_dimension=CONDITION,
            color_consistency__weight=COLOR_WEIGHT,
        )
        rng = np.random.default_rng(0)
        self.real = [rng.uniform(-1, 1, (4, size, size, 3)).astype(np.float32) for size in self.model.sizes]
        self.embedding = rng.normal(size=(4, EMBEDDING)).astype(np.float32)
        self.z = self.model.draw(Purpose.LATENT, (NOISE,)).numpy()
        self.epsilon = self.model.draw(Purpose.CONDITIONING, (CONDITION,)).numpy()
        self.before = self.weights()
        self.gradients = {}
        apply_gradients = self.model.apply_gradients

        def recording(optimizer, tape, loss, variables):
            # A tape gives its gradients once, so a substitute passes them on.
            gradients = tape.gradient(loss, variables)
            self.gradients |= {id(v): g.numpy().astype(float) for v, g in zip(variables, gradients, strict=True)}
            known = type('Tape', (), {'gradient': lambda *_, **__: gradients})
            apply_gradients(optimizer, known(), loss, variables)

        self.model.apply_gradients = recording
        given = {'embedding': tf.constant(self.embedding), 'has_condition': tf.ones(4), 'label': tf.constant(LABELS)}
        recorded = self.model.train_step({'images': tuple(map(tf.constant, self.real)), **given})
        self.recorded = {name: float(value) for name, value in recorded.items()}
        self.after = self.weights()

    def weights(self):
        networks = (self.model.generator, *self.model.discriminators)
        return golden.Weights([variable for network in networks for variable in network.trainable_variables])

    def generate(self, w):
        """Images, mu and log sigma^2 from the step's noise."""
        tree = self.model.generator
        c, mu, log_variance = golden.augmented(w, tree.augment, self.embedding, self.epsilon)
        return golden.images(w, tree, self.z, c), mu, log_variance

    def discriminator_loss(self, w, number):
        made, mu, _ = self.generate(self.before)
        real = self.real[number].astype(float)
        return golden.discriminator_loss(w, self.model.discriminators[number], real, made[number], mu, mu[PARTNERS])

    def generator_losses(self, w):
        """The losses of each scale, color consistency and KL divergence, with the updated discriminators."""
        made, mu, log_variance = self.generate(w)
        held, _, _ = self.generate(self.before)
        pairs = zip(self.model.discriminators, made, strict=True)
        of_scales = [golden.generator_loss(self.after, network, image, mu) for network, image in pairs]
        return of_scales, golden.color_loss(made, held), golden.kl_loss(mu, log_variance)

    def generator_loss(self, w):
        of_scales, color, divergence = self.generator_losses(w)
        return sum(of_scales) + COLOR_WEIGHT * color + KL_WEIGHT * divergence


@pytest.fixture(scope='module')
def step():
    return OneStep()


def test_losses(step):
    of_scales, color, divergence = step.generator_losses(step.before)
    expected = {'color_loss': color, 'kl_loss': divergence}
    for number, size in enumerate(step.model.sizes):
        expected[f'generator_loss_{size}'] = of_scales[number]
        expected[f'discriminator_loss_{size}'] = step.discriminator_loss(step.before, number)
    found = {name: value for name, value in step.recorded.items() if 'loss' in name}
    assert found == pytest.approx(expected, rel=2e-5)


def check_gradients(step, loss, network):
    rng = np.random.default_rng(1)
    for variable in network.trainable_variables:
        gradient = step.gradients[id(variable)]
        norm = np.linalg.norm(gradient)
        assert norm > 1e-6, variable.path
        for direction in (gradient, rng.normal(size=gradient.shape)):
            direction = direction / np.linalg.norm(direction)
            ahead, behind = (loss(step.before.moved(variable, sign * STEP * direction)) for sign in (1, -1))
            slope = np.sum(gradient * direction)  # along the gradient itself, its norm
            assert (ahead - behind) / (2 * STEP) == pytest.approx(slope, rel=1e-3, abs=1e-4 * norm), variable.path


@pytest.mark.parametrize('number', [0, 1, 2])
def test_gradients_of_discriminators(step, number):
    check_gradients(step, lambda w: step.discriminator_loss(w, number), step.model.discriminators[number])


def test_gradients_of_the_tree(step):
    check_gradients(step, step.generator_loss, step.model.generator)
