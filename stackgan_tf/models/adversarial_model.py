"""What every adversarial model of the package shares: the averaged generator, discriminators, the paper's optimiser."""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.losses.conditioning import kl_loss
from stackgan_tf.losses.joint_conditional import Logits, partners
from stackgan_tf.models.discriminator_logits import confidences_of, judged, logits_of
from stackgan_tf.models.fused_kernels import move_towards
from stackgan_tf.models.global_batch import all_rows, own_rows
from stackgan_tf.models.gradient_penalty import r1_penalty
from stackgan_tf.models.noise import Purpose, step_noise
from stackgan_tf.models.trained_model import TrainedModel, variables_of
from stackgan_tf.networks.differentiable_augmentation import DRAWS, augment
from stackgan_tf.system.errors import UserError


class AdversarialModel(TrainedModel):
    """A generator and its average, and discriminators. `train_step` and what is abstract are for subclasses.

    Subclasses set `sizes`, make `discriminators`, each of one of these, and their optimisers, and call the methods
    `set_up_...`; what those take is explained where recipes set it, in the subclasses' constructors.

    Attributes:
        generator: what is trained; it has `read` and `augment`, if it reads embeddings.
        generator_ema: what samples and exports are made with.
    """

    discriminators: list[keras.Model]
    discriminator_optimizers: list[keras.optimizers.Optimizer]

    def __init__(self, seed: int, batch_size: int, averaging_decay: float, accumulated_steps: int = 1) -> None:
        super().__init__(seed, batch_size)
        self.averaging_decay = averaging_decay
        self.accumulated_steps = accumulated_steps
        if accumulated_steps > 1 and self.replicas > 1:
            raise UserError(
                f'accumulated_steps = {accumulated_steps} works on one device, and there are {self.replicas}: use 1, '
                'since the devices together hold a larger batch'
            )

    def set_up_conditions(
        self,
        embedding_dimension: int,
        condition_dimension: int,
        kl_weight: float,
        discriminator_condition: str,
        pairs: str,
    ) -> None:
        """Takes what the model is told, and how; with an embedding dimension of 0 it is told nothing."""
        self.embedding_dimension = embedding_dimension
        self.condition_dimension = condition_dimension
        self.kl_weight = kl_weight
        self.discriminator_condition = discriminator_condition
        self.pairs = pairs
        if embedding_dimension:
            mismatched = ('mismatched_images',) if pairs == 'image' else ('label',)
            self.batch_keys = ('images', 'embedding', *mismatched)

    def set_up_views(
        self,
        input_noise: float,
        augmentation: Sequence[str],
        real_target: float,
        r1_weight: float = 0.0,
        r1_every: int = 16,
    ) -> None:
        """Takes how discriminators see images, what they are to call real ones, and how steep they may be there."""
        self.input_noise = input_noise
        self.augmentation = tuple(augmentation)
        self.real_target = real_target
        self.r1_weight = r1_weight
        self.r1_every = r1_every

    def set_up_generator(
        self,
        generator: keras.Model,
        trained_ema: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        recorded: Sequence[str],
        generator_ema: keras.Model | None = None,
    ) -> None:
        """Takes the built generator and its optimiser, and the names of what each step records.

        Args:
            generator: what is trained.
            trained_ema: of the same architecture, which becomes its average.
            optimizer: of the generator.
            recorded: names.
            generator_ema: what generates with the average, if that is not the twin alone.
        """
        self.generator = generator
        self.trained_ema = trained_ema
        self.generator_ema = generator_ema or trained_ema
        for average, variable in zip(variables_of(trained_ema), variables_of(generator), strict=True):
            average.assign(variable)
        self.generator_ema.trainable = False
        self.set_up(optimizer, recorded)

    def discriminator_condition_dimensions(self) -> tuple[int, int]:
        """What discriminators are told: how many numbers, and how many units read them first."""
        if not self.embedding_dimension:
            return 0, 0
        if self.discriminator_condition == 'embedding':
            return self.embedding_dimension, self.condition_dimension
        return self.condition_dimension, 0

    def initialize(self, embeddings: np.ndarray | None = None) -> None:
        """Fits the whitening of embeddings; see `TrainedModel.initialize`."""
        if embeddings is not None and self.generator.embedding_dimension and self.generator.whitened:
            for network in (self.generator, self.trained_ema):
                network.whiten.fit(embeddings)

    def checkpoint_variables(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to go on exactly, by name."""
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
        """Of the generator and of the discriminators."""
        return [self.optimizer, *self.discriminator_optimizers]

    def call(self, inputs: Any, training: bool = False) -> tuple[tf.Tensor, ...]:
        """Generates with the averaged generator.

        Args:
            inputs: `noise` float32 `[N, Z]`; of a conditional model a dict of `noise`, `embedding` `[N, T]` and,
                unless the mean of the condition is wanted, `conditioning_noise` `[N, E]`.
            training: not looked at: generation is inference.

        Returns:
            float32 `[N, s, s, 3]` in [-1, 1] per size, small to large.
        """
        given = dict(inputs) if isinstance(inputs, Mapping) else {'noise': inputs}
        noise, embedding = given['noise'], given.get('embedding')
        if (embedding is None) != (not self.embedding_dimension):
            takes = 'a dict of noise and embedding' if self.embedding_dimension else 'noise alone'
            raise UserError(f'this {type(self).__name__} takes {takes}')
        if embedding is None:
            return self.generator_ema(noise, training=False)
        zeros = tf.zeros((tf.shape(noise)[0], self.generator_ema.condition_dimension))
        return self.generator_ema(noise, embedding, given.get('conditioning_noise', zeros), training=False)

    def discriminator_names(self) -> list[str]:
        """Of each discriminator: its size, and where several read that size its number: `64_1`, `64_2`."""
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
        """What a step of all networks records."""
        kinds = ['discriminator_loss', 'generator_loss']
        kinds += ['confidence_real'] if self.discriminators[0].unconditional else []
        kinds += ['confidence_generated']
        kinds += ['confidence_match', 'confidence_mismatch'] if self.embedding_dimension else []
        kinds += ['r1_loss'] if self.r1_weight else []
        of_each = [f'{kind}_{name}' for name in self.discriminator_names() for kind in kinds]
        return [*(['kl_loss'] if self.embedding_dimension else []), *of_each]

    def average_generator(self) -> None:
        """Moves the average towards the generator: weights and moving statistics alike."""
        pairs = list(zip(variables_of(self.trained_ema), variables_of(self.generator), strict=True))

        # The generator moves once in so many steps.
        moves = tf.equal((self.step + 1) % self.accumulated_steps, 0)
        share = (1.0 - self.averaging_decay) * tf.cast(moves, tf.float32)

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
        """This replica's rows of the noise for this step, of one of several draws for a purpose."""
        return step_noise(self.seed, self.step, purpose, self.batch_size, tuple(shape), number, distribution)

    def condition(
        self, batch: dict[str, Any], epsilon: tf.Tensor | None
    ) -> tuple[tf.Tensor | None, tf.Tensor | None, tf.Tensor]:
        """What the generator is given (c), what discriminators are told, and the divergence of c's distribution."""
        if not self.embedding_dimension:
            return None, None, tf.constant(0.0)
        return self.condition_of(self.generator, batch, epsilon)

    def condition_of(
        self, network: keras.Model, batch: dict[str, Any], epsilon: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The same, by the conditioning augmentation of a network."""
        embedding = network.read(batch['embedding'])
        c, mu, log_variance = network.augment(embedding, epsilon)
        condition = {'mu': mu, 'detached_mu': tf.stop_gradient(mu), 'embedding': embedding}
        return c, condition[self.discriminator_condition], kl_loss(mu, log_variance)

    def view(self, number: int) -> Callable[[tf.Tensor], tf.Tensor]:
        """How one discriminator sees images in this step, real and generated alike: augmented, with noise."""
        draws: tf.Tensor | None = None
        noise: tf.Tensor | float = 0.0
        size = self.discriminators[number].size
        if self.augmentation:
            draws = self.draw(Purpose.AUGMENTATION, (DRAWS,), number, tf.random.stateless_uniform)
        if self.input_noise:
            noise = self.input_noise * self.draw(Purpose.DISCRIMINATOR_INPUT, (size, size, 3), number)
        return lambda images: augment(images, draws, self.augmentation) + noise

    def train_discriminator(
        self,
        number: int,
        view: Callable[[tf.Tensor], tf.Tensor],
        batch: dict[str, Any],
        image: tf.Tensor,
        condition: tf.Tensor | None,
    ) -> dict[str, tf.Tensor]:
        """One step of one discriminator on real and generated images, and on mismatched pairs; gives its record."""
        discriminator, name = self.discriminators[number], self.discriminator_names()[number]
        scale = self.sizes.index(discriminator.size)
        condition = tf.stop_gradient(condition) if condition is not None else None
        mismatched, rows = None, None
        with tf.GradientTape() as tape:
            # Separate passes, not one over all images: batch normalisation must not mix them.
            seen = view(batch['images'][scale])
            features = discriminator.features(seen, training=True)
            real = judged(discriminator, features, condition)
            generated = logits_of(discriminator, view(tf.stop_gradient(image)), condition)
            if condition is not None:
                mismatched, rows = self.mismatched(discriminator, view, batch, features, condition)
            loss = self.discriminator_loss(real, mismatched, generated, rows, batch)
            r1_loss = self.r1_loss(discriminator, seen, condition, batch)
            scaled = (loss + r1_loss) / self.replicas
        self.apply_gradients(self.discriminator_optimizers[number], tape, scaled, discriminator.trainable_variables)
        record = {'discriminator_loss': loss, 'r1_loss': r1_loss, **confidences_of(real, mismatched, generated)}
        return {f'{kind}_{name}': value for kind, value in record.items()}

    def r1_loss(
        self, discriminator: keras.Model, seen: tf.Tensor, condition: tf.Tensor | None, batch: dict[str, Any]
    ) -> tf.Tensor:
        """The weighted penalty of being steep around real images: lazily, so many times itself in one of so many steps.

        Source: Karras et al. (StyleGAN2, arXiv 1912.04958), "Lazy regularization".
        """
        if not self.r1_weight:
            return tf.constant(0.0)
        weight = 0.5 * self.r1_weight * self.r1_every
        return tf.cond(
            tf.equal(self.step % self.r1_every, 0),
            lambda: weight * r1_penalty(discriminator, seen, condition, batch.get('has_condition', 1.0)),
            lambda: tf.constant(0.0),
        )

    @abc.abstractmethod
    def discriminator_loss(
        self,
        real: Logits,
        mismatched: Logits | None,
        generated: Logits,
        rows: tf.Tensor | None,
        batch: dict[str, Any],
    ) -> tf.Tensor:
        """The loss of one discriminator; `mismatched`, and `rows`, those that count, are of models that are told."""

    def mismatched(
        self,
        discriminator: keras.Model,
        view: Callable[[tf.Tensor], tf.Tensor],
        batch: dict[str, Any],
        features: tf.Tensor,
        condition: tf.Tensor,
    ) -> tuple[Logits, tf.Tensor]:
        """What a discriminator says of pairs that do not belong together, and which rows are such pairs."""
        if self.pairs == 'image':
            image = batch['mismatched_images'][self.sizes.index(discriminator.size)]
            return logits_of(discriminator, view(image), condition), batch['mismatched_rows']
        # Partners are looked for in the global batch, so that they are the same on any number of devices.
        labels, embedded, condition = (all_rows(rows) for rows in (batch['label'], batch['has_condition'], condition))
        chosen, rows = partners(labels)
        rows *= tf.gather(embedded, chosen)  # the partner's condition must be one
        chosen, rows = own_rows(chosen), own_rows(rows)
        return Logits(discriminator.conditional_logits(features, tf.gather(condition, chosen), training=True)), rows
