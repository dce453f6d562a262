"""StackGAN-v2 with relativistic losses."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import TREE, build

from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.system.errors import UserError

TEXT = {'embedding_dimension': 6, 'condition_dimension': 5, 'color_consistency__weight': 0.0}


def make(**settings):
    keras.utils.set_random_seed(0)
    return build(StackGANv2, **{**TREE, **settings})


def batch():
    """Four images at each size, and an embedding of each, of four classes."""
    rng = np.random.default_rng(0)
    images = tuple(tf.constant(rng.uniform(-1, 1, (4, s, s, 3)), tf.float32) for s in (8, 16))
    condition = {'embedding': tf.constant(rng.normal(size=(4, 6)), tf.float32), 'has_condition': tf.ones(4)}
    return {'images': images, **condition, 'label': tf.range(4)}


def softplus(x):
    return float(np.mean(np.log1p(np.exp(x))))


def test_relativistic_losses_compare_real_and_generated_images_row_by_row():
    settings = {'adversarial_loss': 'relativistic', 'discriminator_condition': 'embedding', 'normalization': False}
    model = make(**TEXT, **settings, conditional_weight=2.0, discriminator_rate=0.0)
    given = batch()
    c, condition, _ = model.draw_condition(given, model.draw(Purpose.CONDITIONING, (5,)))
    images = model.generator.images(model.draw(Purpose.LATENT, (8,)), c, training=True)
    recorded = model.train_step(given)
    for size, network, real, image in zip(model.sizes, model.discriminators, given['images'], images, strict=True):
        match, unconditional = (each.numpy() for each in network(real, condition))
        mismatch = network(real, tf.roll(condition, -1, axis=0))[0].numpy()
        of_match, of_unconditional = (each.numpy() for each in network(image, condition))
        expected = softplus(of_unconditional - unconditional) + 2 * (
            softplus(of_match - match) + softplus(mismatch - match)
        )
        assert float(recorded[f'discriminator_loss_{size}']) == pytest.approx(expected, rel=1e-4)
        expected = softplus(unconditional - of_unconditional) + 2 * softplus(match - of_match)
        assert float(recorded[f'generator_loss_{size}']) == pytest.approx(expected, rel=1e-4)
        # Equal logits mean no lead of the discriminator, whatever they are.
        more_real = np.mean(1 / (1 + np.exp(of_unconditional - unconditional)))
        assert float(recorded[f'confidence_real_{size}']) == pytest.approx(more_real, rel=1e-4)
        assert float(recorded[f'confidence_generated_{size}']) == pytest.approx(1 - more_real, rel=1e-4)


def test_relativistic_losses_have_no_target():
    with pytest.raises(UserError, match=r'real_target = 0\.9 has no effect'):
        make(adversarial_loss='relativistic', real_target=0.9)
