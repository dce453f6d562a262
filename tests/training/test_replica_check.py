"""Errors of past framework versions, repeated on purpose; two logical CPUs need a process of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from stackgan_tf.models import noise
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.training import replica_check
from stackgan_tf.training.devices import all_devices
from stackgan_tf.system.errors import UserError
sys.path.append(sys.argv[2])
from small_models import TREE, build

strategy = all_devices()
keras.utils.set_random_seed(0)
with strategy.scope():
    model = build(StackGANv2, **{**TREE, 'sizes': (8,)})

def values():
    return [value.numpy() for variables in model.checkpoint_variables().values() for value in variables]

before = values()
messages = {}

def check(name):
    try:
        replica_check.check_replicas(model, strategy)
        messages[name] = ''
    except UserError as error:
        messages[name] = str(error)

check('right')
for value, after in zip(before, values()):
    np.testing.assert_array_equal(value, after)

apply_gradients = TrainedModel.apply_gradients
def reduced_by_hand(self, optimizer, tape, loss, variables):
    gradients = tf.distribute.get_replica_context().all_reduce('SUM', tape.gradient(loss, variables))
    optimizer.apply_gradients(zip(gradients, variables))
TrainedModel.apply_gradients = reduced_by_hand
check('summed twice')
TrainedModel.apply_gradients = apply_gradients

own_rows = noise.own_rows
noise.own_rows = lambda whole: whole[: whole.shape[0] // tf.distribute.get_replica_context().num_replicas_in_sync]
check('same noise')
noise.own_rows = own_rows

record = TrainedModel.record
TrainedModel.record = lambda self, values: record(self, {name: 2.0 * value for name, value in values.items()})
check('not a mean')
TrainedModel.record = record

model.generator.trainable_variables[3].value.values[1].assign_add(
    tf.fill(model.generator.trainable_variables[3].shape, 1e-6))
check('drifted')
json.dump(messages, open(sys.argv[1], 'w'))
"""


@pytest.fixture(scope='module')
def messages(tmp_path_factory):
    path = tmp_path_factory.mktemp('check') / 'messages.json'
    support = Path(__file__).parents[1] / 'support'
    subprocess.run([sys.executable, '-c', SCRIPT, str(path), str(support)], check=True, timeout=600)
    return json.loads(path.read_text())


def test_two_replicas_that_train_as_one_pass(messages):
    assert messages['right'] == ''


@pytest.mark.parametrize(
    ('mistake', 'message'),
    [
        ('summed twice', 'gradients add up to 7 instead of 3.5'),
        ('same noise', 'do not draw their rows of the noise of the global batch'),
        ('not a mean', 'a mean over all replicas is 7 instead of 3.5'),
        ('drifted', 'their variables differ (generator)'),
    ],
)
def test_each_mistake_is_named_in_one_line(messages, mistake, message):
    assert message in messages[mistake]
    assert '\n' not in messages[mistake]
