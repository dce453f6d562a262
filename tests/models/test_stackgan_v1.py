import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import build

from stackgan_tf.losses.joint_conditional import Logits, partners
from stackgan_tf.losses.matching_aware import matching_aware_discriminator_loss
from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.stackgan_v1 import StageI, StageII
from stackgan_tf.models.trained_model import Rate, variables_of
from stackgan_tf.networks.batch_normalization import BatchNormalization
from stackgan_tf.system.errors import UserError

COMMON = {
    'batch_size': 4,
    'generator_width': 8,
    'discriminator__width': 4,
    'embedding_dimension': 6,
    'condition_dimension': 5,
}
PYTORCH_RELEASE = {
    'activation': 'relu',
    'joint_kernel': 3,
    'logit_bias': True,
    'discriminator_condition': 'detached_mu',
}


def stage_one(**settings):
    keras.utils.set_random_seed(0)
    return build(StageI, **{'size': 8, 'noise_dimension': 7, **COMMON, **settings})


def stage_two(of=None, **settings):
    first = of or stage_one(**{name: settings[name] for name in ('embedding_dimension',) if name in settings})
    return build(StageII, first.generator_ema, **{'size': 16, 'residual_blocks': 1, **COMMON, **settings})


def batch(size, seed=0, labels=(0, 1, 2, 0)):
    rng = np.random.default_rng(seed)
    images, others = (tf.constant(rng.uniform(-1, 1, (4, size, size, 3)).astype('float32')) for _ in range(2))
    return {
        'images': (images,),
        'mismatched_images': (others,),
        'mismatched_rows': tf.constant([1.0, 1.0, 0.0, 1.0]),
        'embedding': tf.constant(rng.normal(size=(4, 6)).astype('float32')),
        'has_condition': tf.ones(4),
        'label': tf.constant(labels),
    }


def copy(network):
    return [value.numpy().copy() for value in variables_of(network)]


def assert_every_weight_moved(before, networks):
    for old, network in zip(before, networks, strict=True):
        for was, variable in zip(old, network.variables, strict=True):
            if variable.trainable:
                assert not np.array_equal(was, variable.numpy()), variable.path


@pytest.mark.parametrize(
    'settings',
    [
        {},
        {'pairs': 'image', 'fresh_fakes': False, 'discriminator_inputs__noise': 0.1},
        {'discriminator_condition': 'mu', 'unconditional': True, 'whitening': True},
        {**PYTORCH_RELEASE, 'residual': False, 'discriminator__residual': False, 'normalization': False},
        {'embedding_dimension': 0, 'discriminator_inputs__augmentation': ('color',)},
    ],
)
def test_a_step_of_stage_one_updates_every_weight(settings):
    model = stage_one(**settings)
    assert set(model.batch_keys) <= set(batch(8))
    model.forward_passes()
    networks = (model.generator, *model.discriminators)
    before = [copy(network) for network in networks]
    recorded = model.train_step(batch(8) if model.embedding_dimension else {'images': batch(8)['images']})
    assert tuple(recorded) == model.recorded
    assert int(model.step) == 1
    assert_every_weight_moved(before, networks)


@pytest.mark.parametrize(
    'settings',
    [
        {},
        {**PYTORCH_RELEASE, 'discriminator__residual': False, 'unconditional': True, 'pairs': 'image', 'size': 32},
        {'conditional': False, 'fresh_fakes': False},
        {'conditional': False, 'discriminator_condition': 'mu'},
        {'conditioning__augmentation': False},
        {'embedding_dimension': 0},
    ],
)
def test_a_step_of_stage_two_updates_all_of_it_and_nothing_of_stage_one(settings):
    model = stage_two(**settings)
    size = model.sizes[0]
    model.forward_passes()
    networks = (model.generator, *model.discriminators)
    before, frozen = [copy(network) for network in networks], copy(model.stage_one)
    given = batch(size) if model.embedding_dimension else {'images': batch(size)['images']}
    for _ in range(2):
        recorded = model.train_step(given)
    assert set(recorded) == set(model.recorded)
    assert_every_weight_moved(before, networks)
    for was, now, held in zip(frozen, copy(model.stage_one), copy(model.generator_ema.stage_one), strict=True):
        np.testing.assert_array_equal(was, now)
        np.testing.assert_array_equal(was, held)


def test_stage_two_is_averaged_and_stage_one_not():
    model = stage_two(averaging_decay=0.75)
    start = copy(model.generator)
    model.train_step(batch(16))
    for was, now, average in zip(start, copy(model.generator), copy(model.trained_ema), strict=True):
        np.testing.assert_allclose(average, 0.75 * was + 0.25 * now, atol=1e-6)


def test_stage_two_runs_stage_one_in_inference_mode():
    model = stage_two(fresh_fakes=False)
    given = batch(16)
    noise = model.draw(Purpose.CONDITIONING, (10,))
    z = model.draw(Purpose.LATENT, (7,))
    (small,) = model.stage_one(z, given['embedding'], noise[:, :5], training=False)
    (expected,) = model.generator(small, given['embedding'], noise[:, 5:], training=True)
    np.testing.assert_allclose(model.generate(given)[0], expected, atol=1e-5)


def test_the_moving_variances_are_biased_as_in_the_first_release():
    model = stage_one()
    norm = model.generator.batch_norm
    shape = norm.moving_variance.shape
    x = np.random.default_rng(0).normal(size=(4, *shape)).astype('float32')
    norm(x, training=True)
    np.testing.assert_allclose(norm.moving_variance, 0.9 + 0.1 * x.var(axis=0), rtol=1e-5)
    norms = [layer for network in model.networks().values() for layer in network._flatten_layers()]
    assert not any(layer.unbiased for layer in norms if isinstance(layer, BatchNormalization))


def test_the_discriminators_loss_is_that_of_its_parts():
    model = stage_one(normalization=False, real_target=0.9)
    given = batch(8)
    image, condition, _ = model.generate(given)
    chosen, rows = partners(given['label'])
    (discriminator,) = model.discriminators
    of_real, of_fake = discriminator(given['images'][0], condition), discriminator(image, condition)
    of_wrong = discriminator(given['images'][0], tf.gather(condition, chosen))
    expected = matching_aware_discriminator_loss(Logits(of_real), Logits(of_wrong), Logits(of_fake), rows, 0.9)
    assert float(model.train_step(given)['discriminator_loss_8']) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize('fresh', [True, False])
def test_the_generators_step_draws_new_noise_or_reuses_the_images(fresh):
    model = stage_one(fresh_fakes=fresh, discriminator_rate=0.0, normalization=False)
    given = batch(8)
    image, condition, _ = model.generate(given, 1 if fresh else 0)
    logits = model.discriminators[0](image, condition)
    expected = tf.reduce_mean(tf.nn.softplus(-logits))
    assert float(model.train_step(given)['generator_loss_8']) == pytest.approx(float(expected), rel=1e-4)


def test_generator_ema_holds_both_stages():
    model = stage_two()
    network = model.generator_ema
    assert (network.sizes, network.condition_dimension) == ((8, 16), 10)
    held = {id(variable) for variable in model.checkpoint_variables()['generator_ema']}
    assert held == {id(variable) for part in (model.stage_one, model.trained_ema) for variable in variables_of(part)}
    everything = [id(variable) for variables in model.checkpoint_variables().values() for variable in variables]
    assert len(everything) == len(set(everything))


def test_rates_are_halved_repeatedly():
    schedule = Rate(0.8, halve_every=10)
    assert [round(float(schedule(step)), 6) for step in (0, 9, 10, 19, 20, 45)] == [0.8, 0.8, 0.4, 0.4, 0.2, 0.05]
    model = stage_one(halve_every=1, generator_rate=0.5)
    model.train_step(batch(8))
    assert float(model.optimizer.learning_rate) == 0.25
    with pytest.raises(UserError, match='one must be 0'):
        stage_one(halve_every=5, decay_steps=5)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'size': 64}, 'Stage-I makes 8 pixels, of which StageII.size is 16 or 32, not 64'),
        ({'embedding_dimension': 9}, 'embedding_dimension = 6 in Stage-I, 9 in Stage-II'),
    ],
)
def test_a_stage_one_that_does_not_fit(settings, message):
    with pytest.raises(UserError, match=message):
        stage_two(stage_one(), **settings)
    with pytest.raises(UserError, match='set the phase'):
        StageII()


def test_whitening_is_fitted_in_stage_two_and_left_alone_in_stage_one():
    model = stage_two(stage_one(whitening=True), whitening=True)
    embeddings = np.random.default_rng(0).normal(size=(50, 6)).astype('float32') * 7 + 3
    model.initialize(embeddings)
    for network in (model.generator, model.trained_ema):
        np.testing.assert_allclose(network.read(embeddings).numpy().mean(axis=0), 0, atol=1e-4)
    np.testing.assert_array_equal(model.stage_one.read(embeddings), embeddings)


def test_stage_one_overfits_sixteen_images():
    """After 300 steps each of 16 embeddings gives an image of its color."""
    model = stage_one(
        batch_size=16,
        generator_width=16,
        discriminator__width=16,
        embedding_dimension=16,
        condition_dimension=16,
        activation='linear',
        generator_rate=4e-3,
        discriminator_rate=4e-3,
        normalization=False,
        discriminator_inputs__noise=0.1,
        kl_weight=0.05,
        averaging_decay=0.9,
        fresh_fakes=False,
    )
    colors = np.random.default_rng(0).uniform(-0.8, 0.8, (16, 3)).astype('float32')
    given = {
        'images': (tf.constant(np.tile(colors[:, None, None], (1, 8, 8, 1))),),
        'embedding': tf.constant(np.eye(16, dtype='float32') * 4),
        'has_condition': tf.ones(16),
        'label': tf.range(16),
    }
    step = tf.function(model.train_step)

    def distance():
        z = tf.random.stateless_normal((16, 7), (3, 3))
        (image,) = model.generator_ema(z, given['embedding'], tf.zeros((16, 16)), training=False)
        return float(np.mean(np.abs(tf.reduce_mean(image, axis=(1, 2)).numpy() - colors)))

    before = distance()
    for _ in range(300):
        step(given)
    assert before > 0.35
    assert distance() < 0.14  # of a range of 1.6; measured: 0.085


@pytest.mark.parametrize('make', [stage_one, stage_two])
def test_relativistic_losses_compare_matching_pairs_with_generated_and_mismatched_ones(make):
    settings = {'adversarial_loss': 'relativistic', 'fresh_fakes': False, 'normalization': False}
    model = make(**settings, discriminator_rate=0.0, generator_rate=0.0, inner_product=True)
    given = batch(model.sizes[0], labels=(0, 1, 2, 3))
    image, condition, _ = model.generate(given)
    recorded = model.train_step(given)
    (network,) = model.discriminators
    match = network(given['images'][0], condition).numpy()
    mismatch = network(given['images'][0], tf.roll(condition, -1, axis=0)).numpy()
    generated = network(image, condition).numpy()
    expected = np.mean(np.log1p(np.exp(generated - match))) + np.mean(np.log1p(np.exp(mismatch - match)))
    name = model.discriminator_names()[0]
    assert float(recorded[f'discriminator_loss_{name}']) == pytest.approx(expected, rel=1e-4)
    expected = np.mean(np.log1p(np.exp(match - generated)))
    assert float(recorded[f'generator_loss_{name}']) == pytest.approx(expected, rel=1e-4)
