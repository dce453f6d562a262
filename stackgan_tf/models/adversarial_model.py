"""What every adversarial model of the package shares: step counter, averaged generator, sums of losses, updates."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

# Adam as in the paper (StackGAN++, "Implementation details").
ADAM_BETA_1 = 0.5
ADAM_BETA_2 = 0.999
ADAM_EPSILON = 1e-8


class LateDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that is constant for the first half of the steps, then falls linearly to 0 (not in the paper)."""

    def __init__(self, rate: float, steps: int) -> None:
        self.rate = rate
        self.steps = steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The rate at a step."""
        left = 1.0 - tf.cast(step, tf.float32) / self.steps
        return self.rate * tf.clip_by_value(2.0 * left, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {'rate': self.rate, 'steps': self.steps}


def adam(rate: float, variables: Sequence[Any], decay_steps: int = 0) -> keras.optimizers.Adam:
    """The paper's Adam, with its state already created, so that checkpoints hold it from the first step.

    Args:
        rate: the learning rate.
        variables: what it will move.
        decay_steps: 0 for a constant rate, as in the paper; otherwise the end of a `LateDecay`.
    """
    schedule = LateDecay(rate, decay_steps) if decay_steps else rate
    optimizer = keras.optimizers.Adam(schedule, beta_1=ADAM_BETA_1, beta_2=ADAM_BETA_2, epsilon=ADAM_EPSILON)
    optimizer.build(variables)
    return optimizer


def variables_of(holder: keras.Model | keras.optimizers.Optimizer) -> list[tf.Variable]:
    """TensorFlow's variables behind those of a network or an optimiser."""
    return [variable.value for variable in holder.variables]


class AdversarialModel(keras.Model):
    """A generator, its average, and the book-keeping of a run, under any `tf.distribute` strategy.

    Subclasses make their networks, call `set_up` last in the constructor, and override `train_step` and `pieces`.
    Build them inside the scope of the strategy that trains them.
    """

    def __init__(self, seed: int, batch_size: int, averaging_decay: float) -> None:
        super().__init__()
        self.seed = seed
        self.batch_size = batch_size
        self.averaging_decay = averaging_decay
        self.replicas = tf.distribute.get_strategy().num_replicas_in_sync
        # An own counter: those of optimisers cannot be read outside of replicas.
        self.step = tf.Variable(
            0, dtype=tf.int64, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA, name='step'
        )

    def set_up(
        self,
        generator: keras.Model,
        averaged_generator: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        recorded: Sequence[str],
    ) -> None:
        """Takes the built generator and its twin, its optimiser, and the names of what each step records."""
        self.generator = generator
        self.averaged_generator = averaged_generator
        averaged_generator.set_weights(generator.get_weights())
        averaged_generator.trainable = False
        self.recorded = tuple(recorded)
        # Each replica adds to its own copy; reading sums them up.
        self._sums = tf.Variable(
            tf.zeros(len(self.recorded)),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
            name='sums',
        )
        self.compile(optimizer=optimizer, jit_compile=False)
        self.built = True

    def pieces(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to go on exactly, by name.

        Lists of variables, because TensorFlow's checkpoints do not see layers that Keras layers keep in lists.
        """
        return {
            'step': [self.step],
            'sums': [self._sums],
            'generator': variables_of(self.generator),
            'averaged_generator': variables_of(self.averaged_generator),
            'generator_optimizer': variables_of(self.optimizer),
        }

    def record(self, values: Mapping[str, tf.Tensor]) -> None:
        """Adds this step's means over this replica's rows to the sums, and counts the step."""
        self._sums.assign_add(tf.stack([values[name] for name in self.recorded]) / self.replicas)
        self.step.assign_add(1)

    def take_record(self, steps: int) -> dict[str, float]:
        """The means over the last `steps` steps of everything recorded; begins anew."""
        means = self._sums.read_value().numpy() / steps
        self._sums.assign(tf.zeros_like(self._sums.read_value()))
        return {name: float(mean) for name, mean in zip(self.recorded, means, strict=True)}

    def descend(
        self, optimizer: keras.optimizers.Optimizer, tape: tf.GradientTape, loss: tf.Tensor, network: keras.Model
    ) -> None:
        """One step down the gradient of a loss that was divided by the number of replicas: gradients are summed."""
        variables = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def average_generator(self) -> None:
        """Moves the averaged generator towards the generator: weights and moving statistics alike."""
        pairs = list(zip(variables_of(self.averaged_generator), variables_of(self.generator), strict=True))

        def move(average: tf.Variable, variable: tf.Variable) -> None:
            average.assign_sub((1.0 - self.averaging_decay) * (average - variable))

        def update(strategy: tf.distribute.Strategy) -> None:
            for average, variable in pairs:
                strategy.extended.update(average, move, args=(variable,), group=False)

        tf.distribute.get_replica_context().merge_call(update)
