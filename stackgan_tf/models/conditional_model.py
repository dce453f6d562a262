"""The condition of a model: from the embeddings of a batch to what the generator and the discriminators get.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v1", "Conditioning Augmentation".
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.losses.conditioning import kl_loss
from stackgan_tf.models.batch import Batch
from stackgan_tf.models.settings import Conditioning
from stackgan_tf.models.trained_model import TrainedModel


class ConditionalModel(TrainedModel):
    """A model that may be conditional on embeddings. Subclasses set `generator` and `trained_ema`.

    Attributes:
        generator: the network that is trained, a `ConditionalGenerator`.
        trained_ema: its average.
    """

    generator: keras.Model
    trained_ema: keras.Model

    def __init__(self, seed: int, batch_size: int, conditioning: Conditioning) -> None:
        super().__init__(seed, batch_size)
        self.conditioning = conditioning
        self.embedding_dimension = conditioning.embedding_dimension
        self.condition_dimension = conditioning.condition_dimension
        self.kl_weight = conditioning.kl_weight if conditioning.augmentation else 0.0
        if self.embedding_dimension:
            mismatched = ('mismatched_images',) if conditioning.pairs == 'image' else ('label',)
            self.batch_keys = ('images', 'embedding', *mismatched)

    def conditioning_options(self) -> dict[str, Any]:
        """The arguments of a conditional generator."""
        names = ('embedding_dimension', 'condition_dimension', 'activation', 'augmentation', 'whitening')
        return {name: getattr(self.conditioning, name) for name in names}

    def discriminator_condition_options(self) -> dict[str, Any]:
        """The dimension of the discriminators' condition, and the units of its projection (0: no projection)."""
        if not self.embedding_dimension:
            return {'condition_dimension': 0, 'projection': 0}
        if self.conditioning.discriminator_condition == 'embedding':
            return {'condition_dimension': self.embedding_dimension, 'projection': self.condition_dimension}
        return {'condition_dimension': self.condition_dimension, 'projection': 0}

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
        return c, conditions[self.conditioning.discriminator_condition], kl_loss(mu, log_variance)
