"""The base of the adversarial models: a generator, its moving average, discriminators and their optimizers."""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from stackgan_tf.losses.joint_conditional import Logits, partners
from stackgan_tf.models.batch import Batch
from stackgan_tf.models.conditional_model import ConditionalModel
from stackgan_tf.models.discriminator_logits import (
    confidences_of,
    logits_of,
    logits_of_features,
    relative_logits,
)
from stackgan_tf.models.fused_kernels import move_towards
from stackgan_tf.models.global_batch import all_rows, own_rows
from stackgan_tf.models.gradient_penalty import gradient_penalties
from stackgan_tf.models.noise import Purpose, step_noise
from stackgan_tf.models.optimizers import adam
from stackgan_tf.models.settings import AdversarialLoss, Conditioning, DiscriminatorInputs, Optimization
from stackgan_tf.models.trained_model import input_error, variables_of
from stackgan_tf.networks.differentiable_augmentation import DRAWS, augment
from stackgan_tf.system.errors import UserError


def check_unused(name: str, weight: float) -> None:
    """Refuses a value other than 1 of a setting that relativistic losses do not have.

    Raises:
        UserError: the value is another.
    """
    if weight != 1:
        raise UserError(f"{name} = {weight} has no effect with adversarial_loss = 'relativistic': set it to 1.0")


class AdversarialModel(ConditionalModel):
    """A generator, its moving average, and discriminators. Subclasses define `train_step` and the abstract methods.

    Subclasses set `sizes` and `discriminators` (each for one size), and call the `set_up_...` methods.

    Attributes:
        generator: the network that is trained, a `ConditionalGenerator`.
        trained_ema: the exponential moving average of `generator`, of the same architecture.
        generator_ema: the network that samples and exports use. It is `trained_ema`, except in StageII, where it is
            the frozen Stage-I followed by `trained_ema`.
    """

    discriminators: list[keras.Model]
    discriminator_optimizers: list[keras.optimizers.Optimizer]

    def __init__(
        self,
        seed: int,
        batch_size: int,
        conditioning: Conditioning,
        discriminator_inputs: DiscriminatorInputs,
        optimization: Optimization,
        adversarial_loss: AdversarialLoss,
    ) -> None:
        super().__init__(seed, batch_size, conditioning)
        self.adversarial_loss = adversarial_loss
        if adversarial_loss == 'relativistic':
            check_unused('real_target', discriminator_inputs.real_target)
        self.discriminator_inputs = discriminator_inputs
        self.optimization = optimization
        if optimization.accumulated_steps > 1 and self.replicas > 1:
            raise UserError(
                f'accumulated_steps = {optimization.accumulated_steps} works on one device, and there are '
                f'{self.replicas}: use 1, since the devices together hold a larger batch'
            )

    def set_up_discriminators(self) -> None:
        """Builds `discriminators` and makes their optimizers."""
        for discriminator in self.discriminators:
            discriminator.build((None, discriminator.size, discriminator.size, 3))
        rate = self.optimization.discriminator_rate
        self.discriminator_optimizers = [self._adam(rate, network) for network in self.discriminators]

    def _adam(self, rate: float, network: keras.Model) -> keras.optimizers.Optimizer:
        steps = self.optimization
        return adam(rate, network.trainable_variables, steps.decay_steps, steps.halve_every, steps.accumulated_steps)

    def set_up_generator(
        self,
        generator: keras.Model,
        trained_ema: keras.Model,
        recorded: Sequence[str],
        generator_ema: keras.Model | None = None,
    ) -> None:
        """Sets the built generator and its average, makes its optimizer, and names what each step records.

        Args:
            generator: the network that is trained.
            trained_ema: a network of the same architecture, which becomes the average.
            recorded: names, in the order of the sums.
            generator_ema: the network that samples, where it holds more than `trained_ema`.
        """
        self.generator = generator
        self.trained_ema = trained_ema
        self.generator_ema = generator_ema or trained_ema
        for average, variable in zip(variables_of(trained_ema), variables_of(generator), strict=True):
            average.assign(variable)
        self.generator_ema.trainable = False
        self.set_up(self._adam(self.optimization.generator_rate, generator), recorded)

    def checkpoint_variables(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to resume exactly, by name."""
        optimizers = zip(self.discriminator_names(), self.discriminator_optimizers, strict=True)
        return {
            **super().checkpoint_variables(),
            'generator_optimizer': variables_of(self.optimizer),
            **{f'discriminator_optimizer_{name}': variables_of(optimizer) for name, optimizer in optimizers},
        }

    def checkpoint_networks(self) -> dict[str, keras.Model]:
        """The generator, its average and the discriminators."""
        discriminators = zip(self.discriminator_names(), self.discriminators, strict=True)
        return {
            'generator': self.generator,
            'generator_ema': self.generator_ema,
            **{f'discriminator_{name}': network for name, network in discriminators},
        }

    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The optimizers of the generator and of the discriminators."""
        return [self.optimizer, *self.discriminator_optimizers]

    def call(self, inputs: Any, training: bool = False) -> tuple[tf.Tensor, ...]:
        """Generates with the averaged generator.

        Args:
            inputs: `noise` float32 `[N, Z]`, alone or in a dict; for a conditional model a dict of `noise`,
                `embedding` `[N, T]` and optionally `conditioning_noise` `[N, E]` (default: zeros, the mean).
            training: ignored; generation is always in inference mode.

        Returns:
            float32 `[N, s, s, 3]` in [-1, 1] per size, small to large.

        Raises:
            UserError: the inputs are not those of this model.
        """
        given = dict(inputs) if isinstance(inputs, Mapping) else {'noise': inputs}
        noise, embedding = given.get('noise'), given.get('embedding')
        if noise is None or (embedding is None) != (not self.embedding_dimension):
            takes = 'a dict of noise and embedding' if self.embedding_dimension else 'noise alone'
            raise input_error(f'this {type(self).__name__} takes {takes}')
        if embedding is None:
            return self.generator_ema(noise, training=False)
        zeros = tf.zeros((tf.shape(noise)[0], self.generator_ema.condition_dimension))
        return self.generator_ema(noise, embedding, given.get('conditioning_noise', zeros), training=False)

    def discriminator_names(self) -> list[str]:
        """A name for each discriminator: its size, with a number where several have that size: `64_1`, `64_2`."""
        sizes = [network.size for network in self.discriminators]
        numbers = [sizes[: i + 1].count(size) for i, size in enumerate(sizes)]
        return [
            f'{size}_{number}' if sizes.count(size) > 1 else f'{size}'
            for size, number in zip(sizes, numbers, strict=True)
        ]

    def networks(self) -> dict[str, keras.Model]:
        """The generator and the discriminators."""
        named = zip(self.discriminator_names(), self.discriminators, strict=True)
        return {'generator': self.generator, **{f'discriminator {name}': network for name, network in named}}

    def names_of_record(self) -> list[str]:
        """The names of what a step records."""
        kinds = ['discriminator_loss', 'generator_loss']
        kinds += ['confidence_real'] if self.discriminators[0].unconditional else []
        kinds += ['confidence_generated']
        kinds += ['confidence_match', 'confidence_mismatch'] if self.embedding_dimension else []
        kinds += [f'{name}_loss' for name in ('r1', 'r2') if getattr(self.discriminator_inputs, f'{name}_weight')]
        of_each = [f'{kind}_{name}' for name in self.discriminator_names() for kind in kinds]
        return [*(['kl_loss'] if self.embedding_dimension else []), *of_each]

    def average_generator(self) -> None:
        """Moves `trained_ema` towards the generator: weights and moving statistics alike."""
        pairs = list(zip(variables_of(self.trained_ema), variables_of(self.generator), strict=True))

        # The generator moves once per `accumulated_steps`.
        moves = tf.equal((self.step + 1) % self.optimization.accumulated_steps, 0)
        share = (1.0 - self.optimization.averaging_decay) * tf.cast(moves, tf.float32)

        def update(strategy: tf.distribute.Strategy) -> None:
            for average, variable in pairs:
                strategy.extended.update(average, move_towards, args=(variable, share), group=False)

        tf.distribute.get_replica_context().merge_call(update)

    def draw(
        self,
        purpose: Purpose,
        shape: Sequence[int],
        number: int = 0,
        distribution: Callable[..., tf.Tensor] = tf.random.stateless_normal,
    ) -> tf.Tensor:
        """This replica's rows of this step's noise; `number` tells apart several draws for one purpose."""
        return step_noise(self.seed, self.step, purpose, self.batch_size, tuple(shape), number, distribution)

    def discriminator_input(self, number: int) -> Callable[[tf.Tensor], tf.Tensor]:
        """A function from images to the input of one discriminator in this step: augmented, with noise.

        It applies the same augmentation and the same noise to real and to generated images.
        """
        draws: tf.Tensor | None = None
        noise: tf.Tensor | float = 0.0
        size = self.discriminators[number].size
        if self.discriminator_inputs.augmentation:
            draws = self.draw(Purpose.AUGMENTATION, (DRAWS,), number, tf.random.stateless_uniform)
        if self.discriminator_inputs.noise:
            noise = self.discriminator_inputs.noise * self.draw(Purpose.DISCRIMINATOR_INPUT, (size, size, 3), number)
        return lambda images: augment(images, draws, self.discriminator_inputs.augmentation) + noise

    def train_discriminator(
        self,
        number: int,
        discriminator_input: Callable[[tf.Tensor], tf.Tensor],
        batch: Batch,
        image: tf.Tensor,
        condition: tf.Tensor | None,
    ) -> dict[str, tf.Tensor]:
        """One step of one discriminator on real and generated images, and on mismatched pairs; returns its record."""
        discriminator, name = self.discriminators[number], self.discriminator_names()[number]
        scale = self.sizes.index(discriminator.size)
        condition = tf.stop_gradient(condition) if condition is not None else None
        mismatched, rows = None, None
        with tf.GradientTape() as tape:
            # Separate passes, not one over all images: batch normalization must not mix them.
            real_images = discriminator_input(batch['images'][scale])
            features = discriminator.features(real_images, training=True)
            real = logits_of_features(discriminator, features, condition)
            generated_images = discriminator_input(tf.stop_gradient(image))
            generated = logits_of(discriminator, generated_images, condition)
            if condition is not None:
                mismatched, rows = self.mismatched(discriminator, discriminator_input, batch, features, condition)
            loss = self.discriminator_loss(real, mismatched, generated, rows, batch)
            images, has_condition = (real_images, generated_images), batch.get('has_condition', 1.0)
            r1, r2 = gradient_penalties(
                self.discriminator_inputs, self.step, discriminator, images, condition, has_condition
            )
            scaled = (loss + r1 + r2) / self.replicas
        self.apply_gradients(self.discriminator_optimizers[number], tape, scaled, discriminator.trainable_variables)
        record = {'discriminator_loss': loss, 'r1_loss': r1, 'r2_loss': r2}
        record |= self.confidences(real, mismatched, generated)
        return {f'{kind}_{name}': value for kind, value in record.items()}

    def confidences(self, real: Logits, mismatched: Logits | None, generated: Logits) -> dict[str, tf.Tensor]:
        """See `confidences_of`; with relativistic losses, of one image being more real than its partner."""
        if self.adversarial_loss == 'relativistic':
            real, mismatched, generated = relative_logits(real, mismatched, generated)
        return confidences_of(real, mismatched, generated)

    def logits_of_generated(
        self,
        number: int,
        discriminator_input: Callable[[tf.Tensor], tf.Tensor],
        batch: Batch,
        image: tf.Tensor,
        condition: tf.Tensor | None,
    ) -> tuple[Logits, Logits | None]:
        """One discriminator's logits of generated images, and of real ones where the loss compares the two."""
        discriminator, real = self.discriminators[number], None
        if self.adversarial_loss == 'relativistic':
            real_images = batch['images'][self.sizes.index(discriminator.size)]
            constant = None if condition is None else tf.stop_gradient(condition)
            real = logits_of(discriminator, discriminator_input(real_images), constant)
        return logits_of(discriminator, discriminator_input(image), condition), real

    @abc.abstractmethod
    def discriminator_loss(
        self, real: Logits, mismatched: Logits | None, generated: Logits, rows: tf.Tensor | None, batch: Batch
    ) -> tf.Tensor:
        """The loss of one discriminator; `mismatched` and the weights of its `rows` are None if unconditional."""

    def mismatched(
        self,
        discriminator: keras.Model,
        discriminator_input: Callable[[tf.Tensor], tf.Tensor],
        batch: Batch,
        features: tf.Tensor,
        condition: tf.Tensor,
    ) -> tuple[Logits, tf.Tensor]:
        """The logits of mismatched pairs, and which rows are such pairs (float `[n]`)."""
        if self.conditioning.pairs == 'image':
            image = batch['mismatched_images'][self.sizes.index(discriminator.size)]
            return logits_of(discriminator, discriminator_input(image), condition), batch['mismatched_rows']
        # Partners come from the global batch, so they are the same on any number of devices.
        labels, embedded, condition = (all_rows(rows) for rows in (batch['label'], batch['has_condition'], condition))
        chosen, rows = partners(labels, embedded)
        chosen, rows = own_rows(chosen), own_rows(rows)
        return Logits(discriminator.conditional_logits(features, tf.gather(condition, chosen), training=True)), rows
