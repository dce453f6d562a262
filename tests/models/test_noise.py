import numpy as np
import tensorflow as tf

from stackgan_tf.models.noise import Purpose, step_noise


def noise(seed=1, step=5, purpose=Purpose.LATENT, batch_size=6, shape=(4,), number=0):
    return step_noise(seed, tf.constant(step, tf.int64), purpose, batch_size, shape, number).numpy()


def test_it_depends_on_seed_step_and_purpose_alone():
    np.testing.assert_array_equal(noise(), noise())
    for other in (noise(seed=2), noise(step=6), noise(purpose=Purpose.DISCRIMINATOR_INPUT), noise(number=1)):
        assert not np.isclose(noise(), other).any()


def test_steps_of_a_long_run_share_no_noise():
    # Two steps whose keys are equal in 32 bits.
    assert not np.isclose(noise(step=58502), noise(step=186855)).any()


def test_it_is_standard_normal():
    drawn = noise(batch_size=1000, shape=(50,))
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_uniform_on_request():
    drawn = step_noise(
        1, tf.constant(5, tf.int64), Purpose.AUGMENTATION, 1000, (50,), distribution=tf.random.stateless_uniform
    ).numpy()
    assert 0 <= drawn.min() < drawn.max() < 1
    np.testing.assert_allclose((drawn.mean(), drawn.var()), (1 / 2, 1 / 12), atol=0.01)


def test_traced_and_eager_agree():
    traced = tf.function(lambda step: step_noise(1, step, Purpose.LATENT, 6, (4,)))
    np.testing.assert_array_equal(traced(tf.constant(5, tf.int64)), noise())
