"""Two replicas do what one does: gradients, statistics, noise, penalties and records.

Two logical CPUs need a process of their own.
"""

import subprocess
import sys

import numpy as np

SCRIPT = """
import sys
import keras, numpy as np, tensorflow as tf
replicas = int(sys.argv[1])
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * replicas)
tf.config.experimental.enable_op_determinism()
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.training.devices import all_devices
strategy = all_devices()
assert strategy.num_replicas_in_sync == replicas
keras.utils.set_random_seed(0)
with strategy.scope():
    aids = dict(input_noise=0.1, r1_weight=1.0, r1_every=2, spectral_normalization=True)
    model = StackGANv2((8, 16), 4, 8, 8, 4, 1, generator_rate=1e-4, discriminator_rate=1e-4, **aids)
rng = np.random.default_rng(0)
images = tuple(rng.uniform(-1, 1, (12, s, s, 3)).astype('float32') for s in (8, 16))
options = tf.data.Options()
options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
data = tf.data.Dataset.from_tensor_slices({'images': images}).batch(4, drop_remainder=True).with_options(options)
model.fit(data, epochs=1, verbose=0, shuffle=False)
assert int(model.step.numpy()) == 3
record = model.take_record(3)
weights = {name: [v.numpy() for v in piece] for name, piece in model.pieces().items() if 'optimizer' not in name}
if replicas > 1:
    for variable in [v for n in (model.generator, *model.discriminators) for v in variables_of(n)]:
        first, second = variable.values
        np.testing.assert_array_equal(first, second, err_msg=variable.name)
flat = np.concatenate([v.ravel() for piece in weights.values() for v in piece])
np.savez(sys.argv[2], weights=flat, record=np.array([record[name] for name in sorted(record)]))
"""


def test_two_replicas_equal_one(tmp_path):

    results = []
    for replicas in (1, 2):
        path = tmp_path / f'{replicas}.npz'
        subprocess.run([sys.executable, '-c', SCRIPT, str(replicas), str(path)], check=True, timeout=300)
        results.append(np.load(path))
    one, two = results
    np.testing.assert_allclose(one['record'], two['record'], rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(one['weights'], two['weights'], atol=2e-3)
