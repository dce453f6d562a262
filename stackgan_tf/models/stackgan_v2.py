"""StackGAN-v2, unconditional: the tree, one discriminator per scale, and how they are trained together.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v2: multi-distribution generative adversarial network".
"""

import functools
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from stackgan_tf.losses.adversarial import discriminator_loss, generator_loss
from stackgan_tf.losses.color_consistency import color_consistency_loss
from stackgan_tf.models.adversarial_model import AdversarialModel, adam
from stackgan_tf.models.noise import Purpose, step_noise
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.networks.differentiable_augmentation import DRAWS, augment
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.tree_generator import TreeGenerator


class StackGANv2(AdversarialModel):
    """The tree-structured GAN. Defaults are those of the released unconditional runs.

    Every step: images of all scales are generated once; each discriminator takes a step on real and on these generated
    images; then the tree takes one step on the sum of all scales' losses and the colour consistency.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (64, 128, 256),
        batch_size: int = 24,  # global
        noise_dimension: int = 100,  # Z
        generator_width: int = 64,  # channels at the smallest scale
        discriminator_width: int = 64,  # channels after the first convolution
        residual_blocks: int = 2,  # in each branch after the first
        discriminator_normalization: bool = True,  # batch normalisation in the discriminators
        generator_rate: float = 2e-4,
        discriminator_rate: float = 2e-4,
        color_weight: float = 50.0,  # alpha; 0 switches colour consistency off
        color_mean_weight: float = 1.0,  # lambda_1
        color_covariance_weight: float = 5.0,  # lambda_2
        color_norm: str = 'released',  # or 'paper'
        averaging_decay: float = 0.999,
        real_target: float = 1.0,  # not in the paper: below 1, one-sided label smoothing
        input_noise: float = 0.0,  # not in the paper: deviation of the noise on what discriminators see
        augmentation: Sequence[str] = (),  # not in the paper: 'color', 'translation', 'cutout' before discriminators
        decay_steps: int = 0,  # not in the paper: if set, rates fall to 0 from half of it on
        seed: int = 0,
    ) -> None:
        super().__init__(seed, batch_size, averaging_decay)
        synchronized = self.replicas > 1
        self.sizes = tuple(sizes)
        self.noise_dimension = noise_dimension
        self.color_weight = color_weight
        self.color_loss = functools.partial(
            color_consistency_loss,
            mean_weight=color_mean_weight,
            covariance_weight=color_covariance_weight,
            norm=color_norm,
        )
        self.real_target = real_target
        self.input_noise = input_noise
        self.augmentation = tuple(augmentation)
        tree, average = (
            TreeGenerator(sizes, noise_dimension, generator_width, residual_blocks, synchronized) for _ in range(2)
        )
        for network in (tree, average):
            network.build((None, noise_dimension))
        self.discriminators = [
            ScaleDiscriminator(size, discriminator_width, discriminator_normalization, synchronized) for size in sizes
        ]
        for size, discriminator in zip(sizes, self.discriminators, strict=True):
            discriminator.build((None, size, size, 3))
        self.discriminator_optimizers = [
            adam(discriminator_rate, discriminator.trainable_variables, decay_steps)
            for discriminator in self.discriminators
        ]
        kinds = ('discriminator_loss', 'generator_loss', 'confidence_real', 'confidence_generated')
        recorded = ['color_loss', *(f'{kind}_{size}' for size in sizes for kind in kinds)]
        self.set_up_generator(tree, average, adam(generator_rate, tree.trainable_variables, decay_steps), recorded)

    def pieces(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to go on exactly, by name."""
        pieces = super().pieces()
        for size, network, optimizer in zip(
            self.sizes, self.discriminators, self.discriminator_optimizers, strict=True
        ):
            pieces[f'discriminator_{size}'] = variables_of(network)
            pieces[f'discriminator_optimizer_{size}'] = variables_of(optimizer)
        return pieces

    def networks(self) -> dict[str, keras.Model]:
        """The tree and the discriminators."""
        discriminators = {f'discriminator {network.size}': network for network in self.discriminators}
        return {'generator': self.generator, **discriminators}

    def forward_passes(self) -> list[tf.Tensor]:
        """Logits of what the tree makes of zeros."""
        images = self.generator(tf.zeros((self.batch_size, self.noise_dimension)), training=True)
        return [network(image, training=True) for network, image in zip(self.discriminators, images, strict=True)]

    def train_step(self, batch: dict[str, tuple[tf.Tensor, ...]]) -> dict[str, tf.Tensor]:
        """One update of every discriminator and of the tree.

        Args:
            batch: `images`, this replica's rows: float32 `[n, s, s, 3]` in [-1, 1] per scale, small to large.

        Returns:
            Means over the rows: losses, and each discriminator's confidence that real and generated images are real.
        """
        recorded: dict[str, tf.Tensor] = {}
        z = self.draw(Purpose.LATENT, (self.noise_dimension,))
        with tf.GradientTape() as tape:
            generated = self.generator(z, training=True)
        views = [self._view(scale, size) for scale, size in enumerate(self.sizes)]
        for scale, (view, real, image) in enumerate(zip(views, batch['images'], generated, strict=True)):
            recorded |= self._train_discriminator(scale, view(real), view(image))
        with tape:
            losses = {
                f'generator_loss_{size}': generator_loss(discriminator(view(image), training=True))
                for size, discriminator, image, view in zip(
                    self.sizes, self.discriminators, generated, views, strict=True
                )
            }
            color_loss = self.color_loss(generated)
            total = (sum(losses.values()) + self.color_weight * color_loss) / self.replicas
        self.descend(self.optimizer, tape, total, self.generator.trainable_variables)
        self.average_generator()
        recorded |= losses | {'color_loss': color_loss}
        self.record(recorded)
        return recorded

    def _train_discriminator(self, scale: int, real: tf.Tensor, generated: tf.Tensor) -> dict[str, tf.Tensor]:
        discriminator, size = self.discriminators[scale], self.sizes[scale]
        with tf.GradientTape() as tape:
            # Two passes, not one over both: batch normalisation must not mix them.
            real_logits = discriminator(real, training=True)
            generated_logits = discriminator(tf.stop_gradient(generated), training=True)
            loss = discriminator_loss(real_logits, generated_logits, self.real_target)
            scaled = loss / self.replicas
        self.descend(self.discriminator_optimizers[scale], tape, scaled, discriminator.trainable_variables)
        return {
            f'discriminator_loss_{size}': loss,
            f'confidence_real_{size}': tf.reduce_mean(tf.sigmoid(real_logits)),
            f'confidence_generated_{size}': tf.reduce_mean(tf.sigmoid(generated_logits)),
        }

    def _view(self, scale: int, size: int) -> Callable[[tf.Tensor], tf.Tensor]:
        """How a discriminator sees images in this step, real and generated alike: augmented, with noise."""
        draws: tf.Tensor | None = None
        noise: tf.Tensor | float = 0.0
        if self.augmentation:
            draws = self.draw(Purpose.AUGMENTATION, (DRAWS,), scale, tf.random.stateless_uniform)
        if self.input_noise:
            noise = self.input_noise * self.draw(Purpose.DISCRIMINATOR_INPUT, (size, size, 3), scale)
        return lambda images: augment(images, draws, self.augmentation) + noise

    def draw(
        self,
        purpose: Purpose,
        shape: Sequence[int],
        number: int = 0,
        distribution: Callable[..., tf.Tensor] = tf.random.stateless_normal,
    ) -> tf.Tensor:
        """This replica's rows of the noise for this step, of one of several draws for a purpose."""
        return step_noise(self.seed, self.step, purpose, self.batch_size, tuple(shape), number, distribution)
