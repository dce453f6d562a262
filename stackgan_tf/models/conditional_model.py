"""The condition of a model: from the embeddings of a batch to what the generator and the discriminators get.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v1", "Conditioning Augmentation".
"""

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.losses.conditioning import kl_loss
from stackgan_tf.models.batch import Batch
from stackgan_tf.models.trained_model import TrainedModel


class ConditionalModel(TrainedModel):
    """A model that may be conditional on embeddings. Subclasses set `generator` and `trained_ema`.

    Attributes:
        generator: the network that is trained; a conditional one has `read` and `augment`.
        trained_ema: its average.
    """

    generator: keras.Model
    trained_ema: keras.Model

    def set_up_conditions(
        self,
        embedding_dimension: int,
        condition_dimension: int,
        kl_weight: float,
        discriminator_condition: str,
        pairs: str,
    ) -> None:
        """Sets how the model is conditioned; with an embedding dimension of 0 it is unconditional."""
        self.embedding_dimension = embedding_dimension
        self.condition_dimension = condition_dimension
        self.kl_weight = kl_weight
        self.discriminator_condition = discriminator_condition
        self.pairs = pairs
        if embedding_dimension:
            mismatched = ('mismatched_images',) if pairs == 'image' else ('label',)
            self.batch_keys = ('images', 'embedding', *mismatched)

    def discriminator_condition_dimensions(self) -> tuple[int, int]:
        """The dimension of the discriminators' condition, and the units of its projection (0: no projection)."""
        if not self.embedding_dimension:
            return 0, 0
        if self.discriminator_condition == 'embedding':
            return self.embedding_dimension, self.condition_dimension
        return self.condition_dimension, 0

    def initialize(self, embeddings: np.ndarray | None = None) -> None:
        """Fits the whitening of embeddings; see `TrainedModel.initialize`."""
        if embeddings is not None and self.generator.embedding_dimension and self.generator.whitening:
            for network in (self.generator, self.trained_ema):
                network.whiten.fit(embeddings)

    def draw_condition(
        self, batch: Batch, epsilon: tf.Tensor | None
    ) -> tuple[tf.Tensor | None, tf.Tensor | None, tf.Tensor]:
        """The generator's condition c, the discriminators' condition, and the KL divergence of c's distribution."""
        if not self.embedding_dimension:
            return None, None, tf.constant(0.0)
        return self.draw_condition_with(self.generator, batch, epsilon)

    def draw_condition_with(
        self, network: keras.Model, batch: Batch, epsilon: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The same as `draw_condition`, by the conditioning augmentation of the given network."""
        embedding = network.read(batch['embedding'])
        c, mu, log_variance = network.augment(embedding, epsilon)
        conditions = {'mu': mu, 'detached_mu': tf.stop_gradient(mu), 'embedding': embedding}
        return c, conditions[self.discriminator_condition], kl_loss(mu, log_variance)
