import os
import subprocess
import sys

import numpy as np

from stackgan_tf.networks.tree_generator import TreeGenerator

SCRIPT = """
import sys
sys.modules['tensorflow'] = None  # importing it fails
import importlib, pkgutil
import numpy as np
import stackgan_tf.losses, stackgan_tf.networks
for package in (stackgan_tf.networks, stackgan_tf.losses):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):
        importlib.import_module(module.name)
from stackgan_tf.networks.tree_generator import TreeGenerator
generator = TreeGenerator(sizes=(8, 16, 32), noise_dimension=6, generator_width=8)
generator.build((None, 6))
generator.load_weights('tree.weights.h5')
np.savez('images.npz', *[np.asarray(image) for image in generator(np.load('noise.npy'), training=False)])
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
discriminator = ScaleDiscriminator(size=8, width=2, spectral_normalization=True)
discriminator.build((None, 8, 8, 3))
assert np.isfinite(np.asarray(discriminator(np.ones((2, 8, 8, 3)), training=True))).all()
"""


def test_networks_run_without_tensorflow_on_weights_saved_with_it(tmp_path):
    generator = TreeGenerator(sizes=(8, 16, 32), noise_dimension=6, generator_width=8)
    generator.build((None, 6))
    z = np.random.default_rng(0).normal(size=(3, 6)).astype('float32')
    generator.save_weights(tmp_path / 'tree.weights.h5')
    np.save(tmp_path / 'noise.npy', z)
    environment = {**os.environ, 'KERAS_BACKEND': 'jax', 'KERAS_HOME': str(tmp_path)}
    subprocess.run([sys.executable, '-c', SCRIPT], env=environment, check=True, timeout=120, cwd=tmp_path)
    on_jax = np.load(tmp_path / 'images.npz').values()
    for image, jax_image in zip(generator(z, training=False), on_jax, strict=True):
        np.testing.assert_allclose(image, jax_image, atol=1e-4)
