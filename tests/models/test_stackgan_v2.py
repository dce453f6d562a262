import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import TREE, build

from stackgan_tf.losses.color_consistency import color_consistency_loss
from stackgan_tf.losses.joint_conditional import Logits, joint_discriminator_loss, partners
from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.networks.batch_normalization import BatchNormalization


def make(**settings):
    keras.utils.set_random_seed(0)
    return build(StackGANv2, **{**TREE, **settings})


def batch(seed=0, sizes=(8, 16)):
    rng = np.random.default_rng(seed)
    return {'images': tuple(tf.constant(rng.uniform(-1, 1, (4, s, s, 3)).astype('float32')) for s in sizes)}


TEXT = {'embedding_dimension': 6, 'condition_dimension': 5, 'color_consistency__weight': 0.0}


def text_batch(seed=0, labels=(0, 1, 2, 0)):
    rng = np.random.default_rng(seed)
    mismatched = {
        'mismatched_images': batch(seed + 100)['images'],
        'mismatched_rows': tf.constant([1.0, 1.0, 0.0, 1.0]),
    }
    embedding = tf.constant(rng.normal(size=(4, 6)).astype('float32'))
    condition = {'embedding': embedding, 'has_condition': tf.ones(4), 'label': tf.constant(labels)}
    return {**batch(seed), **mismatched, **condition}


def copy(network):
    return [value.numpy().copy() for value in variables_of(network)]


def test_a_step_updates_every_network_and_counts():
    model = make(discriminator_inputs__noise=0.1)
    before = [copy(network) for network in (model.generator, *model.discriminators)]
    recorded = model.train_step(batch())
    assert set(recorded) == set(model.recorded)
    assert int(model.step) == 1
    for old, network in zip(before, (model.generator, *model.discriminators), strict=True):
        for was, variable in zip(old, network.variables, strict=True):
            if variable.trainable:
                assert not np.array_equal(was, variable.numpy()), variable.path


def test_discriminators_get_augmented_images_and_the_tree_learns_through_them():
    plain, augmented = make(), make(discriminator_inputs__augmentation=('color', 'translation', 'cutout'))
    for model in (plain, augmented):
        model.train_step(batch())
    for one, other in zip(
        (plain.generator, *plain.discriminators), (augmented.generator, *augmented.discriminators), strict=True
    ):
        # Adam's first step is a sign: only where that changed, weights differ.
        assert any(not np.array_equal(a, b) for a, b in zip(copy(one), copy(other), strict=True))


def test_the_moving_variances_are_unbiased_as_released():
    model = make(averaging_decay=0.0)
    norm = model.generator.first_branch.batch_norm
    z = model.draw(Purpose.LATENT, (8,))
    expected = 0.9 + 0.1 * np.var(model.generator.first_branch.dense(z), axis=0, ddof=1)
    model.train_step(batch())
    np.testing.assert_allclose(norm.moving_variance, expected, rtol=1e-5)
    np.testing.assert_allclose(model.trained_ema.first_branch.batch_norm.moving_variance, expected, rtol=1e-5)
    norms = [layer for network in model.networks().values() for layer in network._flatten_layers()]
    assert all(layer.unbiased for layer in norms if isinstance(layer, BatchNormalization))


def test_discriminators_get_real_generated_and_mismatched_images_changed_alike():
    model = make(discriminator_inputs__augmentation=('color', 'translation', 'cutout'), discriminator_inputs__noise=0.1)
    images = batch()['images'][0]
    change = model.discriminator_input(0)
    np.testing.assert_array_equal(change(images), change(images))
    assert np.abs(change(images) - images).max() > 0.1


def test_augmentation_leaves_color_consistency_alone():
    losses = [
        make(discriminator_inputs__augmentation=policy).train_step(batch())['color_loss'] for policy in ((), ('color',))
    ]
    assert float(losses[0]) == float(losses[1])


def test_record_is_the_mean_over_steps_and_is_reset():
    model = make()
    values = [model.train_step(batch(seed)) for seed in range(3)]
    record = model.take_record(3)
    for name, mean in record.items():
        assert mean == pytest.approx(np.mean([float(value[name]) for value in values]), rel=1e-5)
    assert set(model.take_record(1).values()) == {0.0}


def test_average_follows_weights_and_moving_statistics_with_its_decay():
    model = make(averaging_decay=0.75)
    start = copy(model.generator)
    for was, average in zip(start, copy(model.generator_ema), strict=True):
        np.testing.assert_array_equal(was, average)
    model.train_step(batch())
    moved = copy(model.generator)
    for was, now, average in zip(start, moved, copy(model.generator_ema), strict=True):
        np.testing.assert_allclose(average, 0.75 * was + 0.25 * now, atol=1e-6)


def test_the_generators_step_leaves_discriminators_alone():
    # With a rate of 0 for them, nothing may change but the statistics of batch normalization.
    model = make(discriminator_rate=0.0)
    before = [copy(network) for network in model.discriminators]
    model.train_step(batch())
    for old, network in zip(before, model.discriminators, strict=True):
        for was, variable in zip(old, network.variables, strict=True):
            if variable.trainable:
                np.testing.assert_array_equal(was, variable.numpy())


def test_generators_gradient_is_that_of_the_sum_of_its_losses():
    """The update of Adam's first step is the sign of the gradient: compare with a gradient taken by itself."""
    model = make(discriminator_rate=0.0, generator_rate=1e-3, color_consistency__weight=50.0)
    before = [variable.numpy().copy() for variable in model.generator.trainable_variables]
    z = model.draw(0, (8,))
    with tf.GradientTape() as tape:
        images = model.generator(z, training=True)
        loss = 50.0 * color_consistency_loss(images)
        for network, image in zip(model.discriminators, images, strict=True):
            loss += tf.reduce_mean(tf.nn.softplus(-network(image, training=True)))
    gradients = tape.gradient(loss, model.generator.trainable_variables)
    model.train_step(batch())
    for was, variable, gradient in zip(before, model.generator.trainable_variables, gradients, strict=True):
        clear = np.abs(gradient.numpy()) > 1e-4
        moved = (variable.numpy() - was)[clear]
        np.testing.assert_allclose(moved, -1e-3 * np.sign(gradient.numpy()[clear]), rtol=0.01)


def test_one_batch_is_overfitted():
    """The tree learns to generate the color of the only batch."""
    model = make(
        generator_rate=2e-3,
        discriminator_rate=2e-3,
        normalization=False,
        color_consistency__weight=1.0,
        averaging_decay=0.9,
    )
    color = np.array([0.6, -0.4, 0.1], 'float32')
    images = tuple(tf.constant(np.tile(color, (4, s, s, 1))) for s in model.sizes)
    step = tf.function(model.train_step)

    def distance():
        generated = model.generator_ema(tf.random.stateless_normal((16, 8), (3, 3)), training=False)
        return max(float(tf.reduce_mean(tf.abs(image - color))) for image in generated)

    before = distance()
    for _ in range(600):
        step({'images': images})
    assert distance() < 0.55 * before


def test_checkpoint_variables_hold_every_variable_once():
    model = make()
    held = [id(variable) for variables in model.checkpoint_variables().values() for variable in variables]
    networks = [model.generator, model.generator_ema, *model.discriminators]
    optimizers = [model.optimizer, *model.discriminator_optimizers]
    wanted = [id(variable.value) for owner in (*networks, *optimizers) for variable in owner.variables]
    assert set(wanted) <= set(held)
    assert len(held) == len(set(held))
    # Adam's two moments are there before the first step.
    assert len(model.optimizer.variables) >= 2 * len(model.generator.trainable_variables)


@pytest.mark.parametrize('condition', ['mu', 'detached_mu', 'embedding'])
@pytest.mark.parametrize('pairs', ['text', 'image'])
def test_a_conditional_step_updates_every_weight(condition, pairs):
    model = make(**TEXT, discriminator_condition=condition, pairs=pairs, inner_product=pairs == 'image')
    assert set(model.batch_keys) <= set(text_batch())
    assert len(model.forward_passes()) == 4
    before = [copy(network) for network in (model.generator, *model.discriminators)]
    recorded = model.train_step(text_batch())
    assert set(recorded) == set(model.recorded)
    for old, network in zip(before, (model.generator, *model.discriminators), strict=True):
        for was, variable in zip(old, network.variables, strict=True):
            if variable.trainable:
                assert not np.array_equal(was, variable.numpy()), variable.path


@pytest.mark.parametrize(('condition', 'trained'), [('mu', True), ('detached_mu', False), ('embedding', False)])
def test_the_condition_of_discriminators_trains_conditioning_augmentation_only_as_mu(condition, trained):
    model = make(**TEXT, discriminator_condition=condition)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model.draw_condition(text_batch(), tf.ones((4, 5)))[1])
    (gradient,) = tape.gradient(loss, [model.generator.augment.dense.kernel.value])
    assert (gradient is not None) == trained


def test_the_discriminators_loss_is_that_of_its_parts():
    model = make(**TEXT, normalization=False, conditional_weight=2.0, real_target=0.9)
    given = text_batch()
    c, mu, _ = model.generator.augment(given['embedding'], model.draw(Purpose.CONDITIONING, (5,)))
    images = model.generator.images(model.draw(Purpose.LATENT, (8,)), c, training=True)
    chosen, rows = partners(given['label'])
    expected = {}
    for size, network, real, image in zip(model.sizes, model.discriminators, given['images'], images, strict=True):
        of_real, of_wrong, of_fake = network(real, mu), network(real, tf.gather(mu, chosen)), network(image, mu)
        mismatched = Logits(of_wrong[0])  # no unconditional logits: the image is real either way
        expected[size] = joint_discriminator_loss(
            Logits(*of_real), mismatched, Logits(*of_fake), rows, 0.9, conditional_weight=2.0
        )
    recorded = model.train_step(given)
    for size in model.sizes:
        assert float(recorded[f'discriminator_loss_{size}']) == pytest.approx(float(expected[size]), rel=1e-4)


def test_an_image_without_a_caption_is_no_partner_and_need_not_match():
    model = make(**TEXT, discriminator_condition='embedding', normalization=False)
    given = {**text_batch(labels=(0, 1, 2, 3)), 'has_condition': tf.constant([1.0, 0.0, 1.0, 1.0])}
    features = model.discriminators[0].features(given['images'][0])
    found, rows = model.mismatched(model.discriminators[0], lambda images: images, given, features, given['embedding'])
    assert rows.numpy().tolist() == [1, 1, 1, 1]
    others = tf.gather(given['embedding'], [2, 2, 3, 0])  # the first one's partner is the third
    expected = model.discriminators[0].conditional_logits(features, others)
    np.testing.assert_allclose(found.conditional_logits, expected, atol=1e-5)
    logits = Logits(*model.discriminators[0](given['images'][0], given['embedding']))
    for row, same in ((0, False), (1, True)):
        changed = Logits(
            tf.tensor_scatter_nd_update(logits.conditional_logits, [[row]], [7.0]), logits.unconditional_logits
        )
        assert (model.generator_loss(changed, None, given) == model.generator_loss(logits, None, given)).numpy() == same


def test_whitening_is_fitted_before_the_first_step_and_kept():
    model = make(**TEXT, whitening=True, discriminator_condition='embedding')
    embeddings = np.random.default_rng(0).normal(size=(50, 6)).astype('float32') * 7 + 3
    model.initialize(embeddings)
    for network in (model.generator, model.generator_ema):
        np.testing.assert_allclose(network.read(embeddings).numpy().mean(axis=0), 0, atol=1e-4)
    matrix = model.generator.whiten.matrix.numpy()
    model.train_step(text_batch())
    np.testing.assert_array_equal(model.generator.whiten.matrix, matrix)
    _, condition, _ = model.draw_condition(text_batch(), tf.zeros((4, 5)))
    np.testing.assert_array_equal(condition, model.generator.read(text_batch()['embedding']))


def test_without_augmentation_the_condition_is_the_mean_without_kl_loss():
    model = make(**TEXT, conditioning__augmentation=False)
    given = text_batch()
    c, _, _ = model.draw_condition(given, tf.ones((4, 5)))
    _, mu, _ = model.generator.augment(given['embedding'], tf.zeros((4, 5)))
    np.testing.assert_array_equal(c, mu)
    assert model.kl_weight == 0
    z = tf.zeros((4, 8))
    for image, of_mean in zip(
        *[model.generator(z, given['embedding'], e) for e in (tf.ones((4, 5)), tf.zeros((4, 5)))], strict=True
    ):
        np.testing.assert_array_equal(image, of_mean)


def test_one_batch_of_captions_is_overfitted():
    """The tree learns to generate the color of each embedding."""
    model = make(
        **TEXT,
        generator_rate=2e-3,
        discriminator_rate=1e-3,
        normalization=False,
        discriminator_condition='embedding',
        kl_weight=0.05,
        averaging_decay=0.9,
    )
    colors = np.array([[0.8, -0.8, -0.8], [-0.8, 0.8, -0.8], [-0.8, -0.8, 0.8], [0.8, 0.8, 0.8]], 'float32')
    images = tuple(tf.constant(np.tile(colors[:, None, None], (1, s, s, 1))) for s in model.sizes)
    embedding = tf.constant(np.eye(4, 6, dtype='float32') * 3)
    given = {'images': images, 'embedding': embedding, 'has_condition': tf.ones(4), 'label': tf.range(4)}
    step = tf.function(model.train_step)
    for _ in range(500):
        step(given)
    z = tf.random.stateless_normal((4, 8), (3, 3))
    for image in model.generator_ema(z, embedding, tf.zeros((4, 5))):
        means = tf.reduce_mean(image, axis=(1, 2)).numpy()
        distances = np.linalg.norm(means[:, None] - colors[None], axis=-1)
        assert distances.argmin(axis=1).tolist() == [0, 1, 2, 3]
