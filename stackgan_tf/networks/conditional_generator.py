"""What the generators of both StackGANs have in common: the way from an embedding to the condition of the images.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v1", "Conditioning Augmentation", which StackGAN-v2's
conditional tree uses too.
"""

import abc
from collections.abc import Callable

import keras
from keras import KerasTensor

from stackgan_tf.networks.conditioning_augmentation import ConditioningAugmentation
from stackgan_tf.networks.convolution_block import Shape
from stackgan_tf.networks.embedding_whitening import EmbeddingWhitening
from stackgan_tf.networks.network import Network


class ConditionalGenerator(Network):
    """A generator that may be conditional on embeddings: phi is whitened, then conditioning augmentation draws c.

    Subclasses create both layers in their constructor and build them in `build`, before all others, and make images of
    c in `images`.

    Attributes:
        sizes: of the images from `call`, pixels, small to large.
        condition_dimension: E; 0 of an unconditional generator.
        augment: conditioning augmentation; None in an unconditional generator.
        whiten: None where embeddings are not whitened.
    """

    sizes: tuple[int, ...]
    augment: ConditioningAugmentation | None
    whiten: EmbeddingWhitening | None

    def __init__(
        self,
        *,
        embedding_dimension: int,  # T; 0: unconditional
        condition_dimension: int,  # E, of c
        activation: str,  # after the linear layer, see `ConditioningAugmentation`
        augmentation: bool,  # off: the condition is mu, whatever epsilon
        whitening: bool,  # whether `EmbeddingWhitening` is applied to embeddings, not in the paper
        **kwargs: object,
    ) -> None:
        # Embeddings and noise keep their float32 under a mixed policy; the layers cast what they read.
        super().__init__(autocast=False, **kwargs)
        self.embedding_dimension = embedding_dimension
        self.condition_dimension = condition_dimension if embedding_dimension else 0
        self.activation = activation
        self.augmentation = augmentation
        self.whitening = whitening

    def make_whiten(self) -> EmbeddingWhitening | None:
        """Creates the layer `whiten`."""
        return EmbeddingWhitening() if self.embedding_dimension and self.whitening else None

    def make_augment(
        self, initializer: Callable[[], keras.initializers.Initializer] | None = None
    ) -> ConditioningAugmentation | None:
        """Creates the layer `augment`, with another initializer of its kernel where one is given."""
        if not self.embedding_dimension:
            return None
        augment = ConditioningAugmentation(
            self.condition_dimension, activation=self.activation, augmentation=self.augmentation
        )
        if initializer is not None:
            augment.dense.kernel_initializer = initializer()
        return augment

    def build_condition(self) -> None:
        """Builds both layers for embeddings `[N, T]`."""
        for layer in (self.augment, self.whiten):
            if layer is not None:
                layer.build((None, self.embedding_dimension))

    def read(self, embedding: KerasTensor) -> KerasTensor:
        """The input of conditioning augmentation: the embedding `[N, T]`, whitened where `whitening` is set."""
        return embedding if self.whiten is None else self.whiten(embedding)

    @abc.abstractmethod
    def images(
        self, inputs: KerasTensor, c: KerasTensor | None = None, training: bool = False
    ) -> tuple[KerasTensor, ...]:
        """Maps noise, or images of an earlier stage, and conditions `[N, E]` to images `[N, s, s, 3]` in [-1, 1]."""

    def call(
        self,
        inputs: KerasTensor,
        embedding: KerasTensor | None = None,
        conditioning_noise: KerasTensor | None = None,
        training: bool = False,
    ) -> tuple[KerasTensor, ...]:
        """Generates images.

        Args:
            inputs: noise z, `[N, Z]`; for Stage-II the images of Stage-I, `[N, r, r, 3]` in [-1, 1].
            embedding: phi, `[N, T]`, for a conditional network; others ignore it.
            conditioning_noise: epsilon, `[N, E]`; zeros give the mean of c. Stage-II's is independent of Stage-I's.
            training: whether batch normalization uses the batch's statistics.

        Returns:
            Images `[N, s, s, 3]` in [-1, 1] of `sizes`; where several have one size, the last branch's.
        """
        c = None if self.augment is None else self.augment(self.read(embedding), conditioning_noise)[0]
        return self.images(inputs, c, training=training)[-len(self.sizes) :]

    def compute_output_shape(self, input_shape: Shape, *other_shapes: Shape) -> tuple[Shape, ...]:
        """One `[N, s, s, 3]` for each of `sizes`."""
        return tuple((input_shape[0], size, size, 3) for size in self.sizes)
