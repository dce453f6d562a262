"""The base of all trained models: step counter, mean losses, weight updates, checkpoint contents."""

import abc
import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.models.batch import Batch
from stackgan_tf.models.fused_kernels import fuse_normalization
from stackgan_tf.models.settings import Settings
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import check_arguments


def variables_of(holder: keras.Model | keras.optimizers.Optimizer) -> list[tf.Variable]:
    """The TensorFlow variables of a network or an optimizer."""
    return [variable.value for variable in holder.variables]


def input_error(message: str) -> UserError:
    """An error of the inputs of `call`; Keras raises it with this message alone."""
    error = UserError(message)
    error._keras_call_info_injected = True  # type: ignore[attr-defined]  # Keras adds no lines
    return error


class Rate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate schedule. It is not a variable, so a resumed run uses the rate of its recipe.

    Args:
        rate: the initial rate.
        decay_steps: 0 for a constant rate, as in the paper's v2; otherwise the rate is constant for the first half of
            these steps, then falls linearly to 0 (not in the paper).
        halve_every: 0, or the number of steps between halvings of the rate, as in the paper's v1 (StackGAN++, section
            "StackGAN-v1", "Implementation details").

    Attributes:
        scale: a factor of the rate; functions that were traced before it changes keep the old one.

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
    """A Keras model that keeps the records of a run, under any `tf.distribute` strategy.

    Subclasses build their networks, call `set_up` last in the constructor, and override `train_step`, `call`,
    `checkpoint_variables`, `checkpoint_networks`, `networks` and `forward_passes`. Construct them inside the scope of
    the strategy that trains them.

    Attributes:
        sizes: of the images in a batch, small to large.
        batch_keys: the keys of a `Batch` that a step needs; see also `data/training_batches.py`.
        alphabet: what the tokens in a batch are; see `ALPHABETS`.
        embedding_dimension: T, of the embeddings in a batch; 0 if it needs none.
        recorded: the names of what each step records.
    """

    sizes: tuple[int, ...]
    batch_keys: tuple[str, ...] = ('images',)
    alphabet: str = 'ascii'
    embedding_dimension: int = 0
    train_function: Callable[..., Any] | None

    def __new__(cls, *args: Any, **kwargs: Any) -> 'TrainedModel':
        """Keeps the constructor's arguments for `get_config`, and checks their ranges."""
        model = super().__new__(cls)
        signature = inspect.signature(cls.__init__)
        model._arguments = dict(list(signature.bind(model, *args, **kwargs).arguments.items())[1:])
        check_arguments(cls.__init__, model._arguments)
        return model

    def __init__(self, seed: int, batch_size: int) -> None:
        super().__init__()
        self.seed = seed
        self.batch_size = batch_size
        self.replicas = tf.distribute.get_strategy().num_replicas_in_sync
        # A separate counter: those of optimizers cannot be read outside of replicas.
        self.step = tf.Variable(
            0, dtype=tf.int64, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA, name='step'
        )

    def set_up(self, optimizer: keras.optimizers.Optimizer, recorded: Sequence[str]) -> None:
        """Sets the (first) optimizer and the names of what each step records."""
        for network in self.networks().values():
            fuse_normalization(network)
        self.recorded = tuple(recorded)
        # An update adds the sum over the replicas, so one host can read it without the others.
        self._sums = tf.Variable(
            tf.zeros(len(self.recorded)), trainable=False, aggregation=tf.VariableAggregation.SUM, name='sums'
        )
        self.compile(optimizer=optimizer, jit_compile=False)
        self.built = True

    def checkpoint_variables(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to resume exactly, by name.

        Lists of variables, because TensorFlow's checkpoints do not find layers that Keras layers keep in lists.
        """
        networks = {name: variables_of(network) for name, network in self.checkpoint_networks().items()}
        return {'step': [self.step], 'sums': [self._sums], **networks}

    def checkpoint_networks(self) -> dict[str, keras.Model]:
        """The networks of a finished model, by the name of their variables in a checkpoint."""
        return {}

    def description(self) -> dict[str, Any]:
        """Further facts that a finished model needs, as JSON; checkpoints hold them."""
        return {}

    def fixed_features(self) -> list[tf.Variable]:
        """The variables that are taken from a trained classifier and not trained further; see `TextMatching`."""
        return []

    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The optimizers of the networks."""
        return [self.optimizer]

    def scale_rates(self, scale: float) -> None:
        """Multiplies all learning rates; to be called before the first step."""
        for optimizer in self.optimizers():
            optimizer = getattr(optimizer, 'inner_optimizer', optimizer)  # inside a LossScaleOptimizer
            optimizer._learning_rate.scale = scale  # the public property is a number

    def initialize(self, embeddings: np.ndarray | None = None) -> None:
        """Fits or loads initial state other than random weights; called once, before the first step of a run.

        Args:
            embeddings: `[N, T]`, a sample of the training embeddings.

        Raises:
            UserError: weights cannot be loaded.
        """

    @abc.abstractmethod
    def networks(self) -> dict[str, keras.Model]:
        """The networks that are trained, by name."""

    @abc.abstractmethod
    def forward_passes(self) -> list[tf.Tensor]:
        """The outputs of the networks for a whole batch of zeros, in training mode."""

    def record(self, values: Mapping[str, tf.Tensor]) -> None:
        """Adds this step's means over this replica's rows to the sums, and counts the step."""
        self._sums.assign_add(tf.stack([values[name] for name in self.recorded]) / self.replicas)
        self.step.assign_add(1)

    def take_record(self, steps: int) -> dict[str, float]:
        """The means of everything recorded over the last `steps` steps; resets the sums."""
        means = self._sums.numpy() / steps
        self._sums.assign(tf.zeros(len(self.recorded)))
        return {name: float(mean) for name, mean in zip(self.recorded, means, strict=True)}

    def reset_metrics(self) -> None:
        """Starts the means that `fit` logs; Keras calls it at the start of each epoch."""
        super().reset_metrics()
        self._epoch_start = self._sums.numpy(), int(self.step.numpy())

    def get_metrics_result(self) -> dict[str, float]:
        """The means over the epoch of everything recorded, for the callbacks and the history of `fit`."""
        sums, step = self._epoch_start
        steps = max(int(self.step.numpy()) - step, 1)
        return dict(zip(self.recorded, ((self._sums.numpy() - sums) / steps).tolist(), strict=True))

    def _get_metrics_result_or_logs(self, logs: Any) -> dict[str, float]:
        """The logs of an epoch. Keras's own method would reduce the output of a step over the replicas."""
        return self.get_metrics_result()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, groups of settings as dicts."""
        return {
            name: dataclasses.asdict(value) if isinstance(value, Settings) else value
            for name, value in self._arguments.items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> 'TrainedModel':
        """The inverse of `get_config`."""
        types = inspect.get_annotations(cls.__init__, eval_str=True)
        return cls(
            **{
                name: types[name](**value) if dataclasses.is_dataclass(types.get(name)) else value
                for name, value in config.items()
            }
        )

    def get_compile_config(self) -> None:
        """None: the constructor compiles the model."""

    def save_own_variables(self, store: Any) -> None:
        """Saves the step and the sums, which are not Keras variables."""
        store['step'], store['sums'] = self.step.numpy(), self._sums.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Restores what `save_own_variables` saved."""
        self.step.assign(int(np.asarray(store['step'])))
        self._sums.assign(np.asarray(store['sums']))

    def make_train_function(self, force: bool = False) -> Callable[..., Any]:
        """The function of one step that `fit` runs. On one replica it returns what the step records.

        On several replicas it returns a count: Keras would reduce each number over the replicas, and refuses scalars
        between hosts. The epoch's logs are complete in both cases; see `get_metrics_result`.
        """

        def step(batch: Batch) -> dict[str, tf.Tensor]:
            recorded = self.train_step(batch)
            return recorded if self.replicas == 1 else {'steps': tf.ones(1)}

        if self.train_function is None or force:
            self.train_function = self._make_function(step)
        return self.train_function

    def _maybe_symbolic_build(self, *_: Any, **__: Any) -> None:
        """Does nothing: all networks are built. Keras's own method reads a batch, and fails with several hosts."""

    def apply_gradients(
        self,
        optimizer: keras.optimizers.Optimizer,
        tape: tf.GradientTape,
        loss: tf.Tensor,
        variables: Sequence[keras.Variable],
    ) -> None:
        """One optimizer step. The loss is already divided by the number of replicas: their gradients are summed."""
        scale = optimizer.scale_loss(tf.ones_like(loss))  # 1, except in float16
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if self.replicas > 1 and scaled:
            # Keras checks one replica's own gradients: an overflow on any must appear on all.
            overflows = tf.reduce_any([tf.reduce_any(~tf.math.is_finite(gradient)) for gradient in gradients])
            all_overflows = tf.distribute.get_replica_context().all_reduce('SUM', tf.cast(overflows, tf.float32))
            gradients[0] += tf.where(all_overflows > 0, tf.constant(math.inf), 0.0)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        if scaled and optimizer.inner_optimizer.gradient_accumulation_steps:
            # A step that overflows counts, with zeros: else this optimizer would update at other steps than the others
            # from then on, and the generator at other steps than its average.
            zeros = [tf.zeros_like(gradient) for gradient in gradients]
            finite = optimizer.check_finite(gradients)
            keras.ops.cond(finite, lambda: None, lambda: optimizer.inner_optimizer.apply(zeros, list(variables)))
