"""What every trained model of the package shares: step counter, sums of losses, updates, what a checkpoint holds."""

import abc
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.models.fused_kernels import fuse_normalization
from stackgan_tf.system.errors import UserError


def variables_of(holder: keras.Model | keras.optimizers.Optimizer) -> list[tf.Variable]:
    """TensorFlow's variables behind those of a network or an optimiser."""
    return [variable.value for variable in holder.variables]


class Rate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate over the steps. It is no variable, so what a checkpoint holds does not say how fast to go on.

    Args:
        rate: at the beginning.
        decay_steps: 0 for a rate that stays, as in the paper's v2; otherwise it stays for the first half of so many
            steps, then falls linearly to 0 (not in the paper).
        halve_every: 0, or after how many steps the rate is halved, again and again, as in the paper's v1 (StackGAN++,
            section "StackGAN-v1", "Implementation details").

    Attributes:
        scale: times the rate; what is traced before it changes does not notice.

    Raises:
        UserError: both are set.
    """

    def __init__(self, rate: float, decay_steps: int = 0, halve_every: int = 0) -> None:
        if decay_steps and halve_every:
            raise UserError(f'decay_steps = {decay_steps} and halve_every = {halve_every} are both set: one must be 0')
        self.rate = rate
        self.decay_steps = decay_steps
        self.halve_every = halve_every
        self.scale = 1.0

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The rate at a step."""
        rate = tf.constant(self.scale * self.rate)
        if self.halve_every:
            return rate * 0.5 ** tf.floor(tf.cast(step, tf.float32) / self.halve_every)
        if self.decay_steps:
            return rate * tf.clip_by_value(2.0 * (1.0 - tf.cast(step, tf.float32) / self.decay_steps), 0.0, 1.0)
        return rate

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {'rate': self.rate, 'decay_steps': self.decay_steps, 'halve_every': self.halve_every}


class TrainedModel(keras.Model):
    """The book-keeping of a run, under any `tf.distribute` strategy.

    Subclasses make their networks, call `set_up` last in the constructor, and override `train_step`, `pieces`,
    `networks` and `forward_passes`. Build them inside the scope of the strategy that trains them.

    Attributes:
        sizes: of the pictures that a batch holds, small to large.
        reads: the parts of a batch that a step needs: see `data/training_batches.py`.
        embedding_dimension: T, of the embeddings it reads.
    """

    sizes: tuple[int, ...]
    batch_keys: tuple[str, ...] = ('images',)
    embedding_dimension: int = 0
    train_function: Callable[..., Any] | None

    def __new__(cls, *args: Any, **kwargs: Any) -> 'TrainedModel':
        """Keeps the constructor's arguments for `get_config`."""
        model = super().__new__(cls)
        signature = inspect.signature(cls.__init__)
        model._arguments = dict(list(signature.bind(model, *args, **kwargs).arguments.items())[1:])
        return model

    def __init__(self, seed: int, batch_size: int) -> None:
        super().__init__()
        self.seed = seed
        self.batch_size = batch_size
        self.replicas = tf.distribute.get_strategy().num_replicas_in_sync
        # An own counter: those of optimisers cannot be read outside of replicas.
        self.step = tf.Variable(
            0, dtype=tf.int64, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA, name='step'
        )

    def set_up(self, optimizer: keras.optimizers.Optimizer, recorded: Sequence[str]) -> None:
        """Takes the (first) optimiser and the names of what each step records."""
        for network in self.networks().values():
            fuse_normalization(network)
        self.recorded = tuple(recorded)
        # What the replicas add is summed up first: so one host can read it without asking the others.
        self._sums = tf.Variable(
            tf.zeros(len(self.recorded)), trainable=False, aggregation=tf.VariableAggregation.SUM, name='sums'
        )
        self.compile(optimizer=optimizer, jit_compile=False)
        self.built = True

    def checkpoint_variables(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to go on exactly, by name.

        Lists of variables, because TensorFlow's checkpoints do not see layers that Keras layers keep in lists.
        """
        networks = {name: variables_of(network) for name, network in self.checkpoint_networks().items()}
        return {'step': [self.step], 'sums': [self._sums], **networks}

    def checkpoint_networks(self) -> dict[str, keras.Model]:
        """The networks that a finished model consists of, by the name of their variables in a checkpoint."""
        return {}

    def description(self) -> dict[str, Any]:
        """What a finished model needs besides its networks, as JSON; checkpoints hold it."""
        return {}

    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """Those that move the networks."""
        return [self.optimizer]

    def scale_rates(self, scale: float) -> None:
        """Multiplies all learning rates; to be called before the first step."""
        for optimizer in self.optimizers():
            optimizer = getattr(optimizer, 'inner_optimizer', optimizer)  # of one that scales its loss
            optimizer._learning_rate.scale = scale  # what Keras shows of it is a number

    def initialize(self, embeddings: np.ndarray | None = None) -> None:
        """Gets what training begins with, besides random weights; called once, before the first step of a run.

        Args:
            embeddings: `[N, T]`, some of those that it will read.

        Raises:
            UserError: it cannot be had.
        """

    @abc.abstractmethod
    def networks(self) -> dict[str, keras.Model]:
        """The networks that learn, by name."""

    @abc.abstractmethod
    def forward_passes(self) -> list[tf.Tensor]:
        """What the networks make of a whole batch of zeros, in training mode."""

    def record(self, values: Mapping[str, tf.Tensor]) -> None:
        """Adds this step's means over this replica's rows to the sums, and counts the step."""
        self._sums.assign_add(tf.stack([values[name] for name in self.recorded]) / self.replicas)
        self.step.assign_add(1)

    def take_record(self, steps: int) -> dict[str, float]:
        """The means over the last `steps` steps of everything recorded; begins anew."""
        means = self._sums.numpy() / steps
        self._sums.assign(tf.zeros(len(self.recorded)))
        return {name: float(mean) for name, mean in zip(self.recorded, means, strict=True)}

    def reset_metrics(self) -> None:
        """Begins the means that `fit` logs, with each epoch."""
        super().reset_metrics()
        self._epoch_start = self._sums.numpy(), int(self.step.numpy())

    def get_metrics_result(self) -> dict[str, float]:
        """The means over the epoch of everything recorded: what `fit` gives to callbacks and to `history`."""
        sums, step = self._epoch_start
        steps = max(int(self.step.numpy()) - step, 1)
        return dict(zip(self.recorded, ((self._sums.numpy() - sums) / steps).tolist(), strict=True))

    def _get_metrics_result_or_logs(self, logs: Any) -> dict[str, float]:
        """Keras asks here for an epoch's logs; what a step returns it would reduce over replicas by itself."""
        return self.get_metrics_result()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(self._arguments)

    def get_compile_config(self) -> None:
        """Nothing: the constructor compiles."""

    def save_own_variables(self, store: Any) -> None:
        """Saves the step and the sums, which are not Keras's variables."""
        store['step'], store['sums'] = self.step.numpy(), self._sums.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Restores what `save_own_variables` saved."""
        self.step.assign(int(np.asarray(store['step'])))
        self._sums.assign(np.asarray(store['sums']))

    def make_train_function(self, force: bool = False) -> Callable[..., Any]:
        """Keras's function of one step. On one replica it returns what the step records.

        On several it returns a count: Keras would reduce each number over the replicas, and between hosts refuses
        scalars. The epoch's logs are complete in either case, see `get_metrics_result`.
        """

        def step(batch: dict[str, Any]) -> dict[str, tf.Tensor]:
            recorded = self.train_step(batch)
            return recorded if self.replicas == 1 else {'steps': tf.ones(1)}

        if self.train_function is None or force:
            self.train_function = self._make_function(step)
        return self.train_function

    def _maybe_symbolic_build(self, *_: Any, **__: Any) -> None:
        """Nothing: all is built. Keras's would read a batch for it, and fails where there are several hosts."""

    def apply_gradients(
        self,
        optimizer: keras.optimizers.Optimizer,
        tape: tf.GradientTape,
        loss: tf.Tensor,
        variables: Sequence[keras.Variable],
    ) -> None:
        """One step down the gradient of a loss that was divided by the number of replicas: gradients are summed."""
        scale = optimizer.scale_loss(tf.ones_like(loss))  # 1, but where float16 needs it
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        if self.replicas > 1 and isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            # It looks at one replica's own gradients: what overflows on any must show on all.
            overflows = tf.reduce_any([tf.reduce_any(~tf.math.is_finite(gradient)) for gradient in gradients])
            all_overflows = tf.distribute.get_replica_context().all_reduce('SUM', tf.cast(overflows, tf.float32))
            gradients[0] += tf.where(all_overflows > 0, tf.constant(math.inf), 0.0)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
