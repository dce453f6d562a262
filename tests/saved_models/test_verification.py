"""What an export is tried with, and what its verification refuses."""

import sys
import sysconfig

import keras
import numpy as np
import pytest

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.saved_models import verification
from stackgan_tf.saved_models.examples import example_request
from stackgan_tf.system.errors import UserError

RNG = np.random.default_rng(0)
SPREADS = 0.011 * np.geomspace(1.0, 0.01, 24)  # a narrow encoder: most of the variance is in a few directions
NARROW = (0.5 + RNG.normal(size=(2000, 24)) * SPREADS).astype('f4')
SETTINGS = {'embedding_dimension': 24, 'condition_dimension': 16, 'whitening': True}


def tree():
    keras.utils.set_random_seed(0)
    network = TreeGenerator(sizes=(8, 16), noise_dimension=5, generator_width=8, residual_blocks=1, **SETTINGS)
    network.build((None, 5))
    network.whiten.fit(NARROW)
    return NetworkGenerator(network)


def stages():
    keras.utils.set_random_seed(0)
    first = StageOneGenerator(size=8, noise_dimension=5, generator_width=8, **SETTINGS)
    second = StageTwoGenerator(stage_one_size=8, size=16, generator_width=8, residual_blocks=1, **SETTINGS)
    network = StackedGenerator(stage_one=first, stage_two=second)
    network.build((None, 5))
    for stage in (first, second):
        stage.whiten.fit(NARROW)
    return NetworkGenerator(network)


@pytest.mark.parametrize('make', [tree, stages])
def test_embeddings_unlike_those_of_training_give_images(make):
    generator = make()
    far = RNG.normal(size=(16, 24)).astype('f4')
    for noise in (RNG.normal(size=(16, generator.condition_dimension)), np.zeros((16, generator.condition_dimension))):
        for images in generator.latent(RNG.normal(size=(16, 5)), far, noise).values():
            assert np.isfinite(images).all()


@pytest.mark.parametrize('make', [tree, stages])
def test_example_embeddings_are_like_those_that_whitening_was_fitted_to(make):
    generator = make()
    reader = getattr(generator.network, 'stage_one', generator.network)
    examples = example_request(generator, 64)['embedding']
    assert (examples.shape, examples.dtype) == ((64, 24), np.float32)
    np.testing.assert_allclose(np.square(reader.whiten(examples)).mean(), 1.0, rtol=0.1)
    np.testing.assert_allclose(examples.mean(0), 0.5, atol=0.01)


def test_example_embeddings_have_the_scale_of_training_without_whitening():
    generator = NetworkGenerator(
        TreeGenerator(
            sizes=(8,),
            noise_dimension=5,
            generator_width=8,
            residual_blocks=1,
            embedding_dimension=24,
            condition_dimension=4,
        )
    )
    generator.embedding_scale = (0.5, 0.01)
    examples = example_request(generator, 64)['embedding']
    np.testing.assert_allclose([examples.mean(), examples.std()], [0.5, 0.01], rtol=0.1)


def test_a_model_that_gives_nan_is_refused():
    generator = tree()
    verification.generator_check(generator)
    kernel = generator.network.to_image[0].kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(UserError, match='the model gives image_8 with NaN or infinite numbers, so it is not exported'):
        verification.generator_check(generator)


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_an_export_that_gives_nan_is_refused(monkeypatch, tmp_path, bad):
    images = np.zeros((2, 8, 8, 3), np.float32)

    def answered(value):
        return lambda _, folder: np.savez(
            folder / 'outputs.npz', **{f'latent/image_8{suffix}': images + value for suffix in ('', '/alone')}
        )

    trial = verification.Trial('latent', {'noise': np.zeros((2, 5))}, {'image_8': images})
    monkeypatch.setattr(verification, '_run', answered(0.0))
    verification.check_export(tmp_path, [trial])
    monkeypatch.setattr(verification, '_run', answered(bad))
    with pytest.raises(UserError, match='latent of the export gives another image_8'):
        verification.check_export(tmp_path, [trial])


def test_the_fresh_process_has_the_packages_of_this_one(monkeypatch, tmp_path):
    """Those of `pip install --user`, which a virtual environment hides, and of PYTHONPATH."""
    of_the_user = sysconfig.get_path('purelib', 'posix_user', {'userbase': str(tmp_path / 'user')})
    for folder, name in ((of_the_user, 'of_the_user'), ('path', 'of_the_path'), ('.', 'neighbor')):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / f'{name}.py').touch()
    script = 'import importlib.util, of_the_user, of_the_path\nassert importlib.util.find_spec("neighbor") is None'
    (tmp_path / 'script.py').write_text(script)
    monkeypatch.setattr(sys, 'executable', sys._base_executable)
    monkeypatch.setattr(verification, '_SCRIPT', tmp_path / 'script.py')
    monkeypatch.setenv('PYTHONUSERBASE', str(tmp_path / 'user'))
    monkeypatch.setenv('PYTHONPATH', str(tmp_path / 'path'))
    verification._run(tmp_path, tmp_path)
