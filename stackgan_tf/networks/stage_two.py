"""StackGAN-v1's Stage-II generator (arXiv 1710.10916, section "StackGAN-v1", "Stage-II GAN").

Both released forms have the same one. Its discriminator is `stage_discriminator.StageDiscriminator` at the larger size.
"""

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import Shape
from stackgan_tf.networks.embedding_whitening import EmbeddingWhitening
from stackgan_tf.networks.scales import check_sizes
from stackgan_tf.networks.stage_blocks import (
    StageBlock,
    StageResidualBlock,
    doublings_between,
    scaled_width,
    stage_augmentation,
)

ENLARGEMENTS = (2, 4)  # of Stage-I's image


@keras.saving.register_keras_serializable('stackgan_tf')
class StageTwoGenerator(keras.Model):
    """G: maps Stage-I's image and its own condition c, if any, to a larger image, without further noise.

    One convolution of stride 1 and two of stride 2 bring the image to a quarter of its size and `4 * base_width`
    channels; the condition is joined; residual blocks follow; up-blocks that halve the width, never under 8, lead to
    the image. From 64 to 256 pixels, with its conditioning augmentation, it is the released network of 26,290,080
    parameters. Without a condition the joining convolution reads the features alone.
    """

    def __init__(
        self,
        stage_one_size: int = 64,  # r, pixels of Stage-I's image
        size: int = 256,  # s, pixels: 2 or 4 times that
        base_width: int = 128,  # channels after the first convolution (GF_DIM of the release)
        residual_blocks: int = 4,
        embedding_dimension: int = 1024,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of c
        conditioning: str = 'leaky_relu',  # activation after the linear layer, see `ConditioningAugmentation`
        conditional: bool = True,  # off: the paper's ablation in which Stage-I alone gets the text
        synchronized: bool = False,  # batch statistics over all replicas
        whitened: bool = False,  # whether `EmbeddingWhitening` is applied to embeddings, not in the paper
        augmented: bool = True,  # off: the condition is mu, whatever epsilon
        **kwargs: object,
    ) -> None:
        # Embeddings and noise keep their float32 under a mixed policy; the layers cast what they read.
        super().__init__(autocast=False, **kwargs)
        check_sizes((stage_one_size,))
        if size not in [stage_one_size * times for times in ENLARGEMENTS]:
            possible = ' or '.join(str(stage_one_size * times) for times in ENLARGEMENTS)
            raise ValueError(f'Stage-II makes {possible} pixels of the {stage_one_size} of Stage-I, not {size}')
        self.stage_one_size = stage_one_size
        self.sizes = (size,)
        self.base_width = base_width
        self.residual_blocks = residual_blocks
        self.embedding_dimension = embedding_dimension if conditional else 0
        self.condition_dimension = condition_dimension if self.embedding_dimension else 0
        self.conditioning = conditioning
        self.whitened = whitened
        self.augmented = augmented
        self.conditional = conditional
        self.synchronized = synchronized
        if self.embedding_dimension:
            self.augment = stage_augmentation(condition_dimension, conditioning, augmented)
            self.whiten = EmbeddingWhitening() if whitened else None
        ups = doublings_between(stage_one_size // 4, size)
        self.encode = [
            StageBlock(base_width, normalize=False),
            StageBlock(2 * base_width, 4, 2, synchronized=synchronized),
            StageBlock(4 * base_width, 4, 2, synchronized=synchronized),
        ]
        self.joint = StageBlock(4 * base_width, synchronized=synchronized)
        self.refine = [StageResidualBlock(synchronized=synchronized) for _ in range(residual_blocks)]
        self.up = [StageBlock(scaled_width(base_width, 1 - i), up=True, synchronized=synchronized) for i in range(ups)]
        self.to_image = StageBlock(3, activation='tanh', normalize=False)

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds every layer for `[N, r, r, 3]`."""
        if self.embedding_dimension:
            self.augment.build((None, self.embedding_dimension))
            if self.whiten is not None:
                self.whiten.build((None, self.embedding_dimension))
        shape = input_shape
        for block in self.encode:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        self.joint.build((*shape[:-1], shape[-1] + self.condition_dimension))
        for residual in self.refine:
            residual.build(shape)
        for block in (*self.up, self.to_image):
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def read(self, embedding: KerasTensor) -> KerasTensor:
        """The input of conditioning augmentation: the embedding `[N, T]`, whitened where `whitened` is set."""
        return embedding if self.whiten is None else self.whiten(embedding)

    def images(
        self, image: KerasTensor, c: KerasTensor | None = None, training: bool = False
    ) -> tuple[KerasTensor, ...]:
        """Maps Stage-I's images `[N, r, r, 3]`, and conditions `[N, E]`, to one image `[N, s, s, 3]` in [-1, 1]."""
        h = image
        for block in self.encode:
            h = block(h, training=training)  # [N, r/4, r/4, 4 * base_width]
        # [N, r/4, r/4, 4 * base_width]
        h = self.joint(h, training=training) if c is None else self.joint.joined(h, c, training=training)
        for residual in self.refine:
            h = residual(h, training=training)  # [N, r/4, r/4, 4 * base_width]
        for block in self.up:
            h = block(h, training=training)  # [N, s, s, width]
        return (ops.cast(self.to_image(h), 'float32'),)

    def call(
        self,
        image: KerasTensor,
        embedding: KerasTensor | None = None,
        conditioning_noise: KerasTensor | None = None,
        training: bool = False,
    ) -> tuple[KerasTensor, ...]:
        """Generates images.

        Args:
            image: Stage-I's, `[N, r, r, 3]` in [-1, 1].
            embedding: phi, `[N, T]`; an unconditional network ignores it.
            conditioning_noise: epsilon, `[N, E]`, independent of Stage-I's; zeros give the mean of c.
            training: whether batch normalization uses the batch's statistics.

        Returns:
            One image `[N, s, s, 3]` in [-1, 1], in a tuple as from `TreeGenerator`.
        """
        c = self.augment(self.read(embedding), conditioning_noise)[0] if self.embedding_dimension else None
        return self.images(image, c, training=training)

    def compute_output_shape(self, input_shape: Shape, *other_shapes: Shape) -> tuple[Shape, ...]:
        """`[N, s, s, 3]`, in a tuple."""
        return tuple((input_shape[0], size, size, 3) for size in self.sizes)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'stage_one_size': self.stage_one_size,
            'size': self.sizes[0],
            'base_width': self.base_width,
            'residual_blocks': self.residual_blocks,
            'embedding_dimension': self.embedding_dimension,
            'condition_dimension': self.condition_dimension,
            'conditioning': self.conditioning,
            'conditional': self.conditional,
            'synchronized': self.synchronized,
            'whitened': self.whitened,
            'augmented': self.augmented,
        }
