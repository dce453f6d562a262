"""StackGAN-v2: the tree, one discriminator per scale, and how they are trained together, with embeddings or without.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v2: multi-distribution generative adversarial network".
"""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from stackgan_tf.losses.adversarial import discriminator_loss, generator_loss
from stackgan_tf.losses.color_consistency import color_consistency_loss
from stackgan_tf.losses.joint_conditional import (
    Logits,
    TermWeights,
    joint_discriminator_loss,
    joint_generator_loss,
)
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.models.batch import Batch
from stackgan_tf.models.discriminator_logits import logits_of
from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.optimizers import adam
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.tree_generator import TreeGenerator


@keras.saving.register_keras_serializable('stackgan_tf')
class StackGANv2(AdversarialModel):
    """The tree-structured GAN. Defaults are those of the released runs: without `embedding_dimension`, unconditional.

    In every step, images of all scales are generated once. Each discriminator takes a step on real and on these
    generated images; a conditional one also on mismatched pairs. Then the tree takes one step on the sum of all scales'
    losses, the color consistency loss and, if conditional, the KL divergence of conditioning augmentation.

    The ablations of table 5 are `unconditional_weight=0` (no-JCU), `branch_images='last_alone'` (G3), the same with
    `discriminators_per_image=3` (3G3) and `branch_images='last_size'` (all256).
    """

    def __init__(
        self,
        sizes: Sequence[int] = (64, 128, 256),
        batch_size: int = 24,  # global
        noise_dimension: int = 100,  # Z
        generator_width: int = 64,  # channels at the smallest scale
        discriminator_width: int = 64,  # channels after the first convolution
        residual_blocks: int = 2,  # in each branch after the first
        branch_images: str = 'own_size',  # or 'last_size': all of the last size; 'last_alone': the last branch alone
        discriminators_per_image: int = 1,  # each with its own initial weights
        embedding_dimension: int = 0,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of c
        conditioning: str = 'gated',  # or 'linear' (the paper), 'leaky_relu', 'relu'
        conditioning_augmentation: bool = True,  # off: c is mu, without KL divergence
        kl_weight: float = 2.0,  # of the KL divergence
        discriminator_condition: str = 'mu',  # or 'detached_mu', or 'embedding' through a layer of its own
        pairs: str = 'text',  # mismatched: a real image with another's caption; 'image': another real image
        conditional_weight: float = 1.0,  # of the conditional terms: whether pairs match
        unconditional_weight: float = 1.0,  # of the terms of images alone; 0: no unconditional logits
        mismatched_weight: float = 1.0,  # within the conditional terms, of mismatched pairs
        generated_weight: float = 1.0,  # within the conditional terms, of generated images
        mismatched_real_weight: float = 1.0,  # pairs='image': within the latter, of mismatched images, which are real
        discriminator_normalization: bool = True,  # batch normalization in the discriminators
        generator_rate: float = 2e-4,
        discriminator_rate: float = 2e-4,
        color_weight: float = 50.0,  # alpha; 0 switches color consistency off
        color_mean_weight: float = 1.0,  # lambda_1
        color_covariance_weight: float = 5.0,  # lambda_2
        color_norm: str = 'released',  # or 'paper'
        averaging_decay: float = 0.999,
        real_target: float = 1.0,  # not in the paper: below 1, one-sided label smoothing
        input_noise: float = 0.0,  # not in the paper: deviation of the noise on discriminator inputs
        whitened_embeddings: bool = False,  # not in the paper: embeddings are whitened first
        augmentation: Sequence[str] = (),  # not in the paper: 'color', 'translation', 'cutout' before discriminators
        spectral_normalization: bool = False,  # not in the paper: of the discriminators' convolutions
        inner_product: bool = False,  # not in the paper: discriminators add the product of condition and features
        r1_weight: float = 0.0,  # not in the paper: gamma of the R1 gradient penalty at real images
        r1_every: int = 16,  # steps between computations of the R1 penalty
        decay_steps: int = 0,  # not in the paper: if set, rates fall to 0 in the second half of these steps
        accumulated_steps: int = 1,  # not in the paper: one update per this many steps, by their mean gradient
        seed: int = 0,
    ) -> None:
        super().__init__(seed, batch_size, averaging_decay, accumulated_steps)
        synchronized = self.replicas > 1
        kl_weight = kl_weight if conditioning_augmentation else 0.0
        self.set_up_conditions(embedding_dimension, condition_dimension, kl_weight, discriminator_condition, pairs)
        self.set_up_discriminator_inputs(input_noise, augmentation, real_target, r1_weight, r1_every)
        self.weights_of_terms = TermWeights(
            conditional_weight, unconditional_weight, mismatched_weight, generated_weight, mismatched_real_weight
        )
        self.discriminators_per_image = discriminators_per_image
        self.noise_dimension = noise_dimension
        self.color_weight = color_weight
        self.color_loss = functools.partial(
            color_consistency_loss,
            mean_weight=color_mean_weight,
            covariance_weight=color_covariance_weight,
            norm=color_norm,
        )
        tree, average = (
            TreeGenerator(
                sizes=sizes,
                noise_dimension=noise_dimension,
                generator_width=generator_width,
                residual_blocks=residual_blocks,
                synchronized=synchronized,
                embedding_dimension=embedding_dimension,
                condition_dimension=condition_dimension,
                activation=conditioning,
                augmentation=conditioning_augmentation,
                whitening=whitened_embeddings,
                branch_images=branch_images,
            )
            for _ in range(2)
        )
        for network in (tree, average):
            network.build((None, noise_dimension))
        self.sizes = tree.sizes
        condition, projection = self.discriminator_condition_dimensions()
        self.discriminators = [
            ScaleDiscriminator(
                size=size,
                discriminator_width=discriminator_width,
                discriminator_normalization=discriminator_normalization,
                synchronized=synchronized,
                condition_dimension=condition,
                projection=projection,
                unconditional=not embedding_dimension or unconditional_weight > 0,
                spectral_normalization=spectral_normalization,
                inner_product=inner_product,
            )
            for size in self.per_discriminator(tree.image_sizes)
        ]
        for discriminator in self.discriminators:
            discriminator.build((None, discriminator.size, discriminator.size, 3))
        schedule = (decay_steps, 0, accumulated_steps)
        self.discriminator_optimizers = [
            adam(discriminator_rate, discriminator.trainable_variables, *schedule)
            for discriminator in self.discriminators
        ]
        optimizer = adam(generator_rate, tree.trainable_variables, *schedule)
        self.set_up_generator(tree, average, optimizer, ['color_loss', *self.names_of_record()])

    def per_discriminator(self, per_image: Sequence[Any]) -> list[Any]:
        """Repeats each item of a sequence with one item per image, so that there is one per discriminator."""
        return [item for item in per_image for _ in range(self.discriminators_per_image)]

    def forward_passes(self) -> list[tf.Tensor]:
        """Logits of the images that the tree makes of zeros."""
        batch: Batch = {'embedding': tf.zeros((self.batch_size, self.embedding_dimension))}
        c, condition, _ = self.draw_condition(batch, tf.zeros((self.batch_size, self.condition_dimension)))
        images = self.generator.images(tf.zeros((self.batch_size, self.noise_dimension)), c, training=True)
        pairs = zip(self.discriminators, self.per_discriminator(images), strict=True)
        return [
            logit for network, image in pairs for logit in logits_of(network, image, condition) if logit is not None
        ]

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """One update of every discriminator and of the tree.

        Args:
            batch: this replica's rows: `images`, float32 `[n, s, s, 3]` in [-1, 1] per scale, small to large; for a
                conditional model `embedding` float32 `[n, T]` and `has_condition` float32 `[n]`, 0 where an example
                has none; for `pairs='text'` also `label` int32 `[n]`, for `pairs='image'` `mismatched_images`, like
                `images`, of other classes, and `mismatched_rows`.

        Returns:
            Means over the rows: losses, and each discriminator's confidences that images are real and that pairs match.
        """
        # Generate the images of all scales, once for all updates.
        z = self.draw(Purpose.LATENT, (self.noise_dimension,))
        epsilon = self.draw(Purpose.CONDITIONING, (self.condition_dimension,)) if self.embedding_dimension else None
        with tf.GradientTape() as tape:
            c, condition, kl = self.draw_condition(batch, epsilon)
            images = self.generator.images(z, c, training=True)
        generated = self.per_discriminator(images)
        # Update the discriminators.
        recorded: dict[str, tf.Tensor] = {}
        inputs = [self.discriminator_input(number) for number in range(len(self.discriminators))]
        for number, (discriminator_input, image) in enumerate(zip(inputs, generated, strict=True)):
            recorded |= self.train_discriminator(number, discriminator_input, batch, image, condition)
        # Update the tree, with the updated discriminators.
        with tape:
            losses = {
                f'generator_loss_{name}': self._generator_loss(
                    logits_of(discriminator, discriminator_input(image), condition), batch
                )
                for name, discriminator, image, discriminator_input in zip(
                    self.discriminator_names(), self.discriminators, generated, inputs, strict=True
                )
            }
            color_loss = self.color_loss(images)
            total = sum(losses.values()) + self.color_weight * color_loss + self.kl_weight * kl
            total /= self.replicas
        self.apply_gradients(self.optimizer, tape, total, self.generator.trainable_variables)
        self.average_generator()
        recorded |= losses | {'color_loss': color_loss, 'kl_loss': kl}
        recorded = {name: recorded[name] for name in self.recorded}
        self.record(recorded)
        return recorded

    def _generator_loss(self, logits: Logits, batch: Batch) -> tf.Tensor:
        if not self.embedding_dimension:
            return generator_loss(logits.unconditional_logits)
        return joint_generator_loss(logits, self.weights_of_terms, batch['has_condition'])

    def discriminator_loss(
        self, real: Logits, mismatched: Logits | None, generated: Logits, rows: tf.Tensor | None, batch: Batch
    ) -> tf.Tensor:
        """The adversarial loss of images alone, or with a condition the joint conditional and unconditional loss."""
        if mismatched is None:
            return discriminator_loss(real.unconditional_logits, generated.unconditional_logits, self.real_target)
        return joint_discriminator_loss(
            real, mismatched, generated, rows, self.weights_of_terms, self.real_target, batch['has_condition']
        )
