"""The base of both stages of StackGAN-v1: a generator and its matching-aware discriminator, trained together.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v1: two-stage generative adversarial network".
"""

import abc
import dataclasses

import tensorflow as tf

from stackgan_tf.losses.joint_conditional import Logits
from stackgan_tf.losses.matching_aware import matching_aware_discriminator_loss, matching_aware_generator_loss
from stackgan_tf.losses.relativistic import relativistic_discriminator_loss, relativistic_generator_loss
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.models.batch import Batch
from stackgan_tf.models.discriminator_logits import logits_of
from stackgan_tf.models.settings import Conditioning, StageDiscriminators
from stackgan_tf.networks.scales import SEED_SIZE
from stackgan_tf.networks.stage_discriminator import StageDiscriminator

# Both stages in the TensorFlow release.
RELEASED_CONDITIONING = Conditioning(
    embedding_dimension=1024, activation='leaky_relu', discriminator_condition='embedding'
)


class Stage(AdversarialModel):
    """A stage with one discriminator. Subclasses define `generate`.

    In every step the discriminator trains on real images, mismatched pairs and generated images. Then the generator
    takes a step on its loss plus the KL divergence of conditioning augmentation.
    """

    fresh_fakes: bool

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """One update of the discriminator and of the generator.

        Args:
            batch: as for `StackGANv2.train_step`, with images of one size.

        Returns:
            Means over the rows: losses and the confidences of the discriminator.
        """
        size = self.sizes[0]
        with tf.GradientTape() as tape:
            image, condition, kl = self.generate(batch)
        discriminator_input = self.discriminator_input(0)
        recorded = self.train_discriminator(0, discriminator_input, batch, image, condition)
        if self.fresh_fakes:
            with tf.GradientTape() as tape:
                image, condition, kl = self.generate(batch, 1)
        with tape:
            loss = self.generator_loss(
                *self.logits_of_generated(0, discriminator_input, batch, image, condition), batch
            )
            total = (loss + self.kl_weight * kl) / self.replicas
        self.apply_gradients(self.optimizer, tape, total, self.generator.trainable_variables)
        self.average_generator()
        recorded |= {f'generator_loss_{size}': loss, 'kl_loss': kl}
        recorded = {name: recorded[name] for name in self.recorded}
        self.record(recorded)
        return recorded

    @abc.abstractmethod
    def generate(self, batch: Batch, number: int = 0) -> tuple[tf.Tensor, tf.Tensor | None, tf.Tensor]:
        """Images for the batch from this step's noise, the discriminator's condition, and the KL divergence.

        Args:
            batch: with `embedding`, if the model is conditional.
            number: tells apart several draws in one step.
        """

    def generator_loss(self, generated: Logits, real: Logits | None, batch: Batch) -> tf.Tensor:
        """The generator's adversarial loss."""
        has_condition = batch.get('has_condition', 1.0)
        if real is not None:
            return relativistic_generator_loss(real, generated, has_condition)
        return matching_aware_generator_loss(generated, has_condition)

    def discriminator_loss(
        self, real: Logits, mismatched: Logits | None, generated: Logits, rows: tf.Tensor | None, batch: Batch
    ) -> tf.Tensor:
        """The matching-aware loss, or its relativistic form."""
        condition_rows = {} if rows is None else {'mismatched_rows': rows, 'has_condition': batch['has_condition']}
        if self.adversarial_loss == 'relativistic':
            return relativistic_discriminator_loss(real, mismatched, generated, **condition_rows)
        return matching_aware_discriminator_loss(
            real, mismatched, generated, real_target=self.discriminator_inputs.real_target, **condition_rows
        )

    def forward_passes(self) -> list[tf.Tensor]:
        """Logits of the images that the generator makes of an embedding of zeros."""
        image, condition, _ = self.generate({'embedding': tf.zeros((self.batch_size, self.embedding_dimension))})
        return [logit for logit in logits_of(self.discriminators[0], image, condition) if logit is not None]

    def set_up_discriminator(self, size: int, discriminator: StageDiscriminators, last_map: int = SEED_SIZE) -> None:
        """Builds the discriminator of images of one size, whose features end at `last_map` pixels."""
        self.sizes = (size,)
        self.discriminators = [
            StageDiscriminator(
                size=size,
                last_map=last_map,
                synchronized=self.replicas > 1,
                **dataclasses.asdict(discriminator),
                **self.discriminator_condition_options(),
            )
        ]
        self.set_up_discriminators()
