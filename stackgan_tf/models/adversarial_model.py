"""What every adversarial model of the package shares: the averaged generator, and the paper's optimiser."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from stackgan_tf.models.noise import Purpose, step_noise
from stackgan_tf.models.trained_model import LateDecay, TrainedModel, variables_of

# Adam as in the paper (StackGAN++, "Implementation details").
ADAM_BETA_1 = 0.5
ADAM_BETA_2 = 0.999
ADAM_EPSILON = 1e-8


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


class AdversarialModel(TrainedModel):
    """A generator and its average. `pieces` and `train_step` are for subclasses to complete."""

    def __init__(self, seed: int, batch_size: int, averaging_decay: float) -> None:
        super().__init__(seed, batch_size)
        self.averaging_decay = averaging_decay

    def set_up_generator(
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
        self.set_up(optimizer, recorded)

    def pieces(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to go on exactly, by name."""
        return {
            **super().pieces(),
            'generator': variables_of(self.generator),
            'averaged_generator': variables_of(self.averaged_generator),
            'generator_optimizer': variables_of(self.optimizer),
        }

    def average_generator(self) -> None:
        """Moves the averaged generator towards the generator: weights and moving statistics alike."""
        pairs = list(zip(variables_of(self.averaged_generator), variables_of(self.generator), strict=True))

        def move(average: tf.Variable, variable: tf.Variable) -> None:
            average.assign_sub((1.0 - self.averaging_decay) * (average - variable))

        def update(strategy: tf.distribute.Strategy) -> None:
            for average, variable in pairs:
                strategy.extended.update(average, move, args=(variable,), group=False)

        tf.distribute.get_replica_context().merge_call(update)

    def draw(
        self,
        purpose: Purpose,
        shape: Sequence[int],
        number: int = 0,
        distribution: Callable[..., tf.Tensor] = tf.random.stateless_normal,
    ) -> tf.Tensor:
        """This replica's rows of the noise for this step, of one of several draws for a purpose."""
        return step_noise(self.seed, self.step, purpose, self.batch_size, tuple(shape), number, distribution)
