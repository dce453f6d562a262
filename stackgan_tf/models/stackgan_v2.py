"""StackGAN-v2: the tree, one discriminator per scale, and how they are trained together, with embeddings or without.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v2: multi-distribution generative adversarial network".
"""

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any

import keras
import tensorflow as tf

from stackgan_tf.losses.adversarial import discriminator_loss, generator_loss
from stackgan_tf.losses.color_consistency import color_consistency_loss
from stackgan_tf.losses.joint_conditional import Logits, joint_discriminator_loss, joint_generator_loss
from stackgan_tf.losses.relativistic import relativistic_discriminator_loss, relativistic_generator_loss
from stackgan_tf.models.adversarial_model import AdversarialModel, check_unused
from stackgan_tf.models.batch import Batch
from stackgan_tf.models.discriminator_logits import logits_of
from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.settings import (
    AdversarialLoss,
    ColorConsistency,
    Conditioning,
    DiscriminatorInputs,
    Optimization,
    TermWeights,
    TreeDiscriminators,
)
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.scales import BranchImages, check_sizes
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.system.ranges import Accepted, AtLeast, Count, Seed


@keras.saving.register_keras_serializable('stackgan_tf')
class StackGANv2(AdversarialModel):
    """The tree-structured GAN. Defaults are those of the released unconditional runs.

    In every step, images of all scales are generated once. Each discriminator takes a step on real and on these
    generated images; a conditional one also on mismatched pairs. Then the tree takes one step on the sum of all scales'
    losses, the color consistency loss and, if conditional, the KL divergence of conditioning augmentation.

    The ablations of table 5 are `TermWeights(unconditional_weight=0)` (no-JCU), `branch_images='last_alone'` (G3), the
    same with `TreeDiscriminators(per_image=3)` (3G3) and `branch_images='last_size'` (all256).
    """

    def __init__(
        self,
        *,
        sizes: Annotated[Sequence[int], Accepted(check_sizes)] = (64, 128, 256),  # pixels of each scale
        batch_size: Count = 24,  # global
        noise_dimension: Count = 100,  # Z
        generator_width: Count = 64,  # channels at the smallest scale
        residual_blocks: Annotated[int, AtLeast(0)] = 2,  # in each branch after the first
        branch_images: BranchImages = 'own_size',  # 'last_size': all of the last size; 'last_alone': the last alone
        conditioning: Conditioning = Conditioning(),
        discriminator: TreeDiscriminators = TreeDiscriminators(),
        discriminator_inputs: DiscriminatorInputs = DiscriminatorInputs(),
        term_weights: TermWeights = TermWeights(),
        adversarial_loss: AdversarialLoss = 'cross_entropy',  # 'relativistic': not in the paper
        color_consistency: ColorConsistency = ColorConsistency(),
        optimization: Optimization = Optimization(),
        seed: Seed = 0,
    ) -> None:
        super().__init__(seed, batch_size, conditioning, discriminator_inputs, optimization, adversarial_loss)
        self.term_weights = term_weights
        if self.adversarial_loss == 'relativistic':
            check_unused('mismatched_real_weight', term_weights.mismatched_real_weight)
        self.discriminators_per_image = discriminator.per_image
        self.noise_dimension = noise_dimension
        self.color_consistency = color_consistency
        synchronized = self.replicas > 1
        tree, average = (
            TreeGenerator(
                sizes=sizes,
                noise_dimension=noise_dimension,
                generator_width=generator_width,
                residual_blocks=residual_blocks,
                branch_images=branch_images,
                synchronized=synchronized,
                **self.conditioning_options(),
            )
            for _ in range(2)
        )
        for network in (tree, average):
            network.build((None, noise_dimension))
        self.sizes = tree.sizes
        self.discriminators = [
            ScaleDiscriminator(
                size=size,
                width=discriminator.width,
                normalization=discriminator.normalization,
                spectral_normalization=discriminator.spectral_normalization,
                inner_product=discriminator.inner_product,
                unconditional=not self.embedding_dimension or term_weights.unconditional_weight > 0,
                synchronized=synchronized,
                **self.discriminator_condition_options(),
            )
            for size in self.per_discriminator(tree.image_sizes)
        ]
        self.set_up_discriminators()
        self.set_up_generator(tree, average, ['color_loss', *self.names_of_record()])

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
                f'generator_loss_{name}': self.generator_loss(
                    *self.logits_of_generated(number, inputs[number], batch, generated[number], condition), batch
                )
                for number, name in enumerate(self.discriminator_names())
            }
            colors = self.color_consistency
            color_loss = color_consistency_loss(images, colors.mean_weight, colors.covariance_weight, colors.norm)
            total = sum(losses.values()) + colors.weight * color_loss + self.kl_weight * kl
            total /= self.replicas
        self.apply_gradients(self.optimizer, tape, total, self.generator.trainable_variables)
        self.average_generator()
        recorded |= losses | {'color_loss': color_loss, 'kl_loss': kl}
        recorded = {name: recorded[name] for name in self.recorded}
        self.record(recorded)
        return recorded

    def generator_loss(self, generated: Logits, real: Logits | None, batch: Batch) -> tf.Tensor:
        """The tree's adversarial loss of one discriminator."""
        weights = {
            'conditional_weight': self.term_weights.conditional_weight,
            'unconditional_weight': self.term_weights.unconditional_weight,
        }
        weights = weights if self.embedding_dimension else {}
        if real is not None:
            return relativistic_generator_loss(real, generated, batch.get('has_condition', 1.0), **weights)
        if not self.embedding_dimension:
            return generator_loss(generated.unconditional_logits)
        return joint_generator_loss(generated, batch['has_condition'], **weights)

    def discriminator_loss(
        self, real: Logits, mismatched: Logits | None, generated: Logits, rows: tf.Tensor | None, batch: Batch
    ) -> tf.Tensor:
        """The adversarial loss of images alone, or with a condition the joint conditional and unconditional loss."""
        real_target = self.discriminator_inputs.real_target
        weights = dataclasses.asdict(self.term_weights)
        if self.adversarial_loss == 'relativistic':
            del weights['mismatched_real_weight']  # a mismatched image has no generated one to be compared with
            weights = weights if self.embedding_dimension else {}
            has_condition = batch.get('has_condition', 1.0)
            return relativistic_discriminator_loss(real, mismatched, generated, rows, has_condition, **weights)
        if mismatched is None:
            return discriminator_loss(real.unconditional_logits, generated.unconditional_logits, real_target)
        return joint_discriminator_loss(
            real, mismatched, generated, rows, real_target, batch['has_condition'], **weights
        )
