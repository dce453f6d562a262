"""StackGAN-v1's Stage-II generator (arXiv 1710.10916, section "StackGAN-v1", "Stage-II GAN").

Both released forms have the same one. Its discriminator is `stage_discriminator.StageDiscriminator` at the larger size.
"""

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.conditional_generator import ConditionalGenerator
from stackgan_tf.networks.convolution_block import Shape
from stackgan_tf.networks.scales import check_sizes
from stackgan_tf.networks.stage_blocks import (
    StageBlock,
    StageResidualBlock,
    doublings_between,
    normal,
    scaled_width,
)

ENLARGEMENTS = (2, 4)  # of Stage-I's image


@keras.saving.register_keras_serializable('stackgan_tf')
class StageTwoGenerator(ConditionalGenerator):
    """G: maps Stage-I's image and its own condition c, if any, to a larger image, without further noise.

    One convolution of stride 1 and two of stride 2 bring the image to a quarter of its size and `4 * generator_width`
    channels; the condition is joined; residual blocks follow; up-blocks that halve the width, never under 8, lead to
    the image. From 64 to 256 pixels, with its conditioning augmentation, it is the released network of 26,290,080
    parameters. Without a condition the joining convolution reads the features alone.
    """

    def __init__(
        self,
        *,
        stage_one_size: int = 64,  # r, pixels of Stage-I's image
        size: int = 256,  # s, pixels: 2 or 4 times that
        generator_width: int = 128,  # channels after the first convolution (GF_DIM of the release)
        residual_blocks: int = 4,
        embedding_dimension: int = 1024,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of c
        activation: str = 'leaky_relu',  # after the linear layer, see `ConditioningAugmentation`
        augmentation: bool = True,  # off: the condition is mu, whatever epsilon
        whitening: bool = False,  # whether `EmbeddingWhitening` is applied to embeddings, not in the paper
        conditional: bool = True,  # off: the paper's ablation in which Stage-I alone gets the text
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(
            embedding_dimension=embedding_dimension if conditional else 0,
            condition_dimension=condition_dimension,
            activation=activation,
            augmentation=augmentation,
            whitening=whitening,
            **kwargs,
        )
        check_sizes((stage_one_size,))
        if size not in [stage_one_size * times for times in ENLARGEMENTS]:
            possible = ' or '.join(str(stage_one_size * times) for times in ENLARGEMENTS)
            raise ValueError(f'Stage-II makes {possible} pixels of the {stage_one_size} of Stage-I, not {size}')
        self.stage_one_size = stage_one_size
        self.sizes = (size,)
        self.generator_width = generator_width
        self.residual_blocks = residual_blocks
        self.augment, self.whiten = self.make_augment(normal), self.make_whiten()
        ups = doublings_between(stage_one_size // 4, size)
        self.encode = [
            StageBlock(generator_width, normalize=False),
            StageBlock(2 * generator_width, kernel=4, strides=2, synchronized=synchronized),
            StageBlock(4 * generator_width, kernel=4, strides=2, synchronized=synchronized),
        ]
        self.joint = StageBlock(4 * generator_width, synchronized=synchronized)
        self.refine = [StageResidualBlock(synchronized=synchronized) for _ in range(residual_blocks)]
        self.up = [
            StageBlock(scaled_width(generator_width, 1 - i), up=True, synchronized=synchronized) for i in range(ups)
        ]
        self.to_image = StageBlock(3, activation='tanh', normalize=False)

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds every layer for `[N, r, r, 3]`."""
        self.build_condition()
        shape = input_shape
        for block in self.encode:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        self.joint.build(shape, (None, self.condition_dimension))
        for residual in self.refine:
            residual.build(shape)
        for block in (*self.up, self.to_image):
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def images(
        self, image: KerasTensor, c: KerasTensor | None = None, training: bool = False
    ) -> tuple[KerasTensor, ...]:
        """Maps Stage-I's images `[N, r, r, 3]`, and conditions `[N, E]`, to one image `[N, s, s, 3]` in [-1, 1]."""
        h = image
        for block in self.encode:
            h = block(h, training=training)  # [N, r/4, r/4, 4 * width]
        h = self.joint(h, c, training=training)  # [N, r/4, r/4, 4 * width]
        for residual in self.refine:
            h = residual(h, training=training)  # [N, r/4, r/4, 4 * width]
        for block in self.up:
            h = block(h, training=training)  # [N, s, s, C]
        return (ops.cast(self.to_image(h), 'float32'),)
