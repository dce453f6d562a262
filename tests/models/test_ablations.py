"""The ablations of StackGAN++, table 5, and trees of one to five branches: their structure, and a step of each."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import TREE, build

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.trained_model import variables_of

SIZES = (8, 16, 32)
ABLATIONS = {
    'full': ({}, SIZES, ['8', '16', '32']),
    'no-JCU': ({'unconditional_weight': 0.0}, SIZES, ['8', '16', '32']),
    'G3': ({'branch_images': 'last_alone'}, (32,), ['32']),
    '3G3': ({'branch_images': 'last_alone', 'per_image': 3}, (32,), ['32_1', '32_2', '32_3']),
    'all32': ({'branch_images': 'last_size'}, (32,), ['32_1', '32_2', '32_3']),
}


def make(sizes=SIZES, batch_size=4, **settings):
    small = {**TREE, 'sizes': sizes, 'batch_size': batch_size, 'discriminator__width': 2}
    return build(StackGANv2, **{**small, 'embedding_dimension': 6, 'condition_dimension': 5, **settings})


def batch(sizes, size=4):
    rng = np.random.default_rng(0)
    images, others = (
        tuple(tf.constant(rng.uniform(-1, 1, (size, s, s, 3)), tf.float32) for s in sizes) for _ in range(2)
    )
    condition = {'embedding': tf.constant(rng.normal(size=(size, 6)), tf.float32), 'has_condition': tf.ones(size)}
    mismatched = {'mismatched_images': others, 'mismatched_rows': tf.ones(size), 'label': tf.range(size)}
    return {'images': images, **condition, **mismatched}


@pytest.mark.parametrize('name', ABLATIONS)
def test_an_ablation_updates_every_weight_and_generates(name):
    settings, sizes, names = ABLATIONS[name]
    model = make(**settings, color_consistency__weight=1.0, pairs='image')
    assert model.sizes == model.generator.sizes == sizes
    assert model.discriminator_names() == names
    before = [[value.numpy() for value in variables_of(n)] for n in (model.generator, *model.discriminators)]
    recorded = model.train_step(batch(sizes))
    assert set(recorded) == set(model.recorded)
    assert {f'discriminator_loss_{name}' for name in names} <= set(recorded)
    for old, network in zip(before, (model.generator, *model.discriminators), strict=True):
        for was, variable in zip(old, network.variables, strict=True):
            if variable.trainable:
                assert not np.array_equal(was, variable.numpy()), variable.path
    held = [id(variable) for variables in model.checkpoint_variables().values() for variable in variables]
    assert len(held) == len(set(held))
    made = NetworkGenerator(model.generator_ema).generate_every_size([1, 2], np.ones((2, 6), np.float32))
    assert {size: image.shape for size, image in made.items()} == {size: (2, size, size, 3) for size in sizes}


def test_without_the_joint_approximation_there_are_no_unconditional_logits():
    model = make(unconditional_weight=0.0)
    assert not any(network.unconditional for network in model.discriminators)
    assert 'confidence_real_8' not in model.recorded
    assert len(model.forward_passes()) == 3
    # An unconditional tree has no other logits.
    unconditional = make(embedding_dimension=0, unconditional_weight=0.0)
    assert all(network.unconditional for network in unconditional.discriminators)


def test_several_discriminators_of_an_image_have_one_architecture_and_different_weights():
    first, *others = make(branch_images='last_alone', per_image=3).discriminators
    for other in others:
        assert other.get_config()['size'] == first.get_config()['size']
        assert not np.array_equal(first.first.kernel, other.first.kernel)


def test_without_color_consistency_the_color_loss_is_measured_only():
    """With a weight the tree's update differs."""
    moved = []
    for weight in (0.0, 50.0):
        keras.utils.set_random_seed(0)
        model = make(embedding_dimension=0, color_consistency__weight=weight)
        assert float(model.train_step(batch(SIZES))['color_loss']) > 0
        moved.append(np.concatenate([value.numpy().ravel() for value in variables_of(model.generator)]))
    assert not np.array_equal(*moved)


@pytest.mark.parametrize('sizes', [(8,), (64, 128, 256, 512, 1024)])
def test_one_and_five_branches_take_a_step(sizes):
    model = build(
        StackGANv2,
        sizes=sizes,
        batch_size=1,
        noise_dimension=4,
        generator_width=2,
        discriminator__width=1,
        residual_blocks=1,
        normalization=False,
    )
    recorded = model.train_step(batch(sizes, 1))
    assert all(np.isfinite(float(recorded[f'generator_loss_{size}'])) for size in sizes)
    assert [image.shape for image in model.generator(tf.zeros((1, 4)))] == [(1, s, s, 3) for s in sizes]
