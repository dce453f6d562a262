import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import TREE, build

from stackgan_tf.models.gradient_penalty import r1_penalty
from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.trained_model import variables_of

IMAGES = np.random.default_rng(0).normal(size=(3, 4, 4, 3)).astype('float32')
CONDITION = np.array([[2.0], [3.0], [5.0]], 'float32')


class Linear:
    """The unconditional logit is w . x, the conditional one t (w . x), with a condition of one number t."""

    unconditional = True

    def __init__(self):
        self.w = tf.Variable(np.random.default_rng(1).normal(size=(4, 4, 3)).astype('float32'))

    def features(self, images, training):
        assert not training
        return tf.reduce_sum(self.w * images, axis=(1, 2, 3))

    def unconditional_logits(self, features):
        return features

    def conditional_logits(self, features, condition, training):
        return condition[:, 0] * features


class Quadratic(Linear):
    """The logit is 3 |x|^2 / 2: the gradient is 3 x."""

    def features(self, images, training):
        return 1.5 * tf.reduce_sum(images**2, axis=(1, 2, 3))


def test_closed_forms():
    linear = Linear()
    squared = float(tf.reduce_sum(linear.w**2))
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        penalty = r1_penalty(linear, images, None)
    assert float(penalty) == pytest.approx(squared, rel=1e-5)
    np.testing.assert_allclose(tape.gradient(penalty, linear.w), 2 * linear.w, rtol=1e-5)
    expected = 9 * (IMAGES**2).sum(axis=(1, 2, 3)).mean()
    assert float(r1_penalty(Quadratic(), images, None)) == pytest.approx(expected, rel=1e-5)


def test_with_a_condition_the_logits_are_added_where_there_is_one():
    linear = Linear()
    squared = float(tf.reduce_sum(linear.w**2))
    rows = tf.constant([1.0, 0.0, 1.0])
    penalty = r1_penalty(linear, tf.constant(IMAGES), tf.constant(CONDITION), rows)
    assert float(penalty) == pytest.approx(squared * (3**2 + 1 + 6**2) / 3, rel=1e-5)
    linear.unconditional = False
    penalty = r1_penalty(linear, tf.constant(IMAGES), tf.constant(CONDITION), rows)
    assert float(penalty) == pytest.approx(squared * (2**2 + 0 + 5**2) / 3, rel=1e-5)


REGULARIZED = {'r1_weight': 2.0, 'r1_every': 2, 'spectral_normalization': True}


def make(**settings):
    keras.utils.set_random_seed(0)
    return build(StackGANv2, **{**TREE, 'color_consistency__weight': 0.0, **settings})


def batch(seed):
    rng = np.random.default_rng(seed)
    return {'images': tuple(tf.constant(rng.uniform(-1, 1, (4, s, s, 3)).astype('float32')) for s in (8, 16))}


def test_it_is_computed_every_r1_every_steps_and_scaled_by_as_much():
    model = make(r1_weight=2.0, r1_every=3, normalization=False)
    step = tf.function(model.train_step)
    penalties = []
    for number in range(5):
        due = float(r1_penalty(model.discriminators[1], batch(number)['images'][1], None))
        penalties.append((float(step(batch(number))['r1_loss_16']), 0.5 * 2.0 * 3 * due))
    for number, (found, due) in enumerate(penalties):
        assert found == pytest.approx(due if number % 3 == 0 else 0.0, rel=1e-4)
        assert due > 0


def test_r2_is_the_same_penalty_at_generated_images():
    model = make(r2_weight=2.0, r1_every=1, normalization=False)
    images = model.generator(model.draw(Purpose.LATENT, (8,)), training=True)
    due = float(r1_penalty(model.discriminators[1], images[1], None))
    recorded = model.train_step(batch(0))
    assert float(recorded['r2_loss_16']) == pytest.approx(0.5 * 2.0 * due, rel=1e-4)
    assert 'r1_loss_16' not in recorded


AIDS = {'discriminator_inputs__augmentation': ('color',), 'discriminator_inputs__noise': 0.1}


def test_it_is_taken_at_the_augmented_noised_images():
    model = make(r1_weight=2.0, r1_every=1, normalization=False, **AIDS)
    images = batch(0)['images'][1]
    augmented, plain = (
        float(r1_penalty(model.discriminators[1], each, None))
        for each in (model.discriminator_input(1)(images), images)
    )
    found = float(model.train_step(batch(0))['r1_loss_16'])
    assert found == pytest.approx(augmented, rel=1e-4)
    assert found != pytest.approx(plain, rel=1e-3)


def test_it_reduces_the_gradients_of_discriminators():
    penalties = []
    for weight in (0.0, 1000.0):
        model = make(r1_weight=weight, r1_every=1, normalization=False, discriminator_rate=1e-3)
        step = tf.function(model.train_step)
        for _ in range(30):
            step(batch(0))
        penalties.append(float(r1_penalty(model.discriminators[0], batch(0)['images'][0], None)))
    assert penalties[1] < 0.2 * penalties[0]


def test_a_model_resumed_from_checkpoint_variables_equals_an_uninterrupted_one():
    whole, resumed = make(**REGULARIZED), make(**REGULARIZED)
    for number in range(3):
        whole.train_step(batch(number))
    for name, variables in resumed.checkpoint_variables().items():
        for variable, saved in zip(variables, whole.checkpoint_variables()[name], strict=True):
            variable.assign(saved)
    for number in range(3, 5):
        for model in (whole, resumed):
            model.train_step(batch(number))
    for one, other in zip(whole.discriminators, resumed.discriminators, strict=True):
        for variable, expected in zip(variables_of(other), variables_of(one), strict=True):
            np.testing.assert_allclose(variable, expected, atol=1e-6)
