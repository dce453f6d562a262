"""A check before the first step of several replicas: past framework versions have summed gradients twice."""

import importlib.metadata

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.models.global_batch import all_rows
from stackgan_tf.models.noise import Purpose, step_noise
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.devices import distributed

_ROWS = 4  # of each replica


class _Probe(TrainedModel):
    """A model of one weight, which moves as the weights of every model do."""

    def __init__(self, replicas: int) -> None:
        super().__init__(0, _ROWS * replicas)
        self.weight = keras.Variable(0.0)
        optimizer = keras.optimizers.SGD(1.0)
        optimizer.build([self.weight])
        self.set_up(optimizer, ('mean', 'strange_noise'))

    def noise(self) -> tf.Tensor:
        """Float32 `[n]`: the rows of this replica, or all rows outside of replicas."""
        return step_noise(0, self.step, Purpose.LATENT, self.batch_size, ())

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The loss is the weight times the mean of `number` `[n]`; `noise` `[n]` is the expected noise."""
        with tf.GradientTape() as tape:
            mean = tf.reduce_mean(batch['number'])
            scaled = mean * self.weight / self.replicas
        self.apply_gradients(self.optimizer, tape, scaled, [self.weight])
        strange = tf.cast(self.noise() != batch['noise'], tf.float32)
        self.record({'mean': mean, 'strange_noise': tf.reduce_mean(strange)})
        return {}

    def networks(self) -> dict[str, keras.Model]:
        """None."""
        return {}

    def forward_passes(self) -> list[tf.Tensor]:
        """None."""
        return []


def check_replicas(model: TrainedModel, strategy: tf.distribute.Strategy) -> None:
    """Checks that several replicas train as one would. Changes no number of the model.

    Raises:
        UserError: they do not; names the fault.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return
    wrong = _of_a_step(replicas, strategy) or _of_variables(model, strategy)
    if wrong:
        versions = ', '.join(f'{name} {importlib.metadata.version(name)}' for name in ('keras', 'tensorflow'))
        raise UserError(
            f'{replicas} devices do not train as one would here: {wrong} ({versions}); take the versions of '
            'constraints.txt, or one device (CUDA_VISIBLE_DEVICES=0)'
        )


def _of_a_step(replicas: int, strategy: tf.distribute.Strategy) -> str:
    """The fault of one step of a probe, in words: input, noise, gradients, records; '' without one."""
    with strategy.scope():
        probe = _Probe(replicas)
    # Outside of replicas this is the noise of the global batch.
    whole = {'number': np.arange(probe.batch_size, dtype=np.float32), 'noise': probe.noise().numpy()}

    def batches(shares: int, own_shares: range) -> tf.data.Dataset:
        rows = {name: np.split(values, shares)[own_shares.start : own_shares.stop] for name, values in whole.items()}
        return tf.data.Dataset.from_tensor_slices(rows)

    probe.fit(distributed(batches, strategy), steps_per_epoch=1, shuffle=False, verbose=0)
    record, mean = probe.take_record(1), whole['number'].mean()
    if len(set(whole['noise'].tolist())) < probe.batch_size or record['strange_noise']:
        return 'the replicas do not draw their rows of the noise of the global batch'
    if record['mean'] != mean:
        return f'a mean over all replicas is {record["mean"]:g} instead of {mean:g}'
    moved = -float(probe.weight.numpy())
    if moved != mean:
        return f'gradients add up to {moved:g} instead of {mean:g}'
    if probe.step.numpy() != 1:
        return f'one step counts as {probe.step.numpy()}'
    return ''


def _of_variables(model: TrainedModel, strategy: tf.distribute.Strategy) -> str:
    """The variables of a model that differ between replicas, in words; '' if none do."""
    checkpoint_variables = model.checkpoint_variables()

    @tf.function
    def of_replicas() -> tf.Tensor:
        return all_rows(tf.stack([_digest(variables) for variables in checkpoint_variables.values()])[None])

    digests = strategy.experimental_local_results(strategy.run(of_replicas))[0].numpy()  # [replicas, names]
    differing = [
        name for name, values in zip(checkpoint_variables, digests.T, strict=True) if len(set(values.tolist())) > 1
    ]
    return f'their variables differ ({", ".join(differing)})' if differing else ''


def _digest(variables: list[tf.Variable]) -> tf.Tensor:
    """A checksum of the bits of all variables, int64."""
    kinds = {1: tf.int8, 2: tf.int16, 4: tf.int32, 8: tf.int64}
    total = tf.constant(0, tf.int64)
    for place, variable in enumerate(variables, 1):
        bits = tf.bitcast(variable.read_value(), kinds[variable.dtype.size])
        total += place * tf.reduce_sum(tf.cast(bits, tf.int64))
    return total
