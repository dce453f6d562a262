"""StackGAN-v1's Stage-I generator (arXiv 1710.10916, section "StackGAN-v1", "Stage-I GAN").

There are two released forms: the first, in TensorFlow, for birds and flowers, which is the default here, and a later
one, in PyTorch, for COCO. Where the paper gives details, they are those of the first.
"""

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.conditional_generator import ConditionalGenerator
from stackgan_tf.networks.convolution_block import Shape, batch_norm
from stackgan_tf.networks.folding import fold_batch_norm
from stackgan_tf.networks.scales import SEED_SIZE
from stackgan_tf.networks.stage_blocks import (
    StageBlock,
    StageResidualBlock,
    doublings_between,
    normal,
    scaled_width,
    stage_dense,
)

BOTTLENECKS = 2  # on the first maps of Stage-I's generator


@keras.saving.register_keras_serializable('stackgan_tf')
class StageOneGenerator(ConditionalGenerator):
    """G_0: maps noise `z ~ N(0, I)` and a condition c, if any, to a small image ("Stage-I GAN").

    A dense layer makes map 0, and k = log2(size / first_map) doublings follow. Each map i, except the last, has
    `generator_width * 2**(k - 1 - i)` channels. In the first form a bottleneck follows maps 0 and 1, and the last
    doubling makes the image from map k - 1. The later form (`residual=False`) has no bottlenecks, and one more
    convolution makes the image from map k, of half of `generator_width`. For 64 pixels both are the released networks,
    of 14,264,192 and 10,301,248 parameters; for 256 pixels straight from Stage-I the release has `first_map=16`.
    """

    def __init__(
        self,
        *,
        size: int = 64,  # s, pixels
        noise_dimension: int = 100,  # Z
        generator_width: int = 128,  # channels of the map before the last (GF_DIM of the release)
        embedding_dimension: int = 1024,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of c
        activation: str = 'leaky_relu',  # after the linear layer, see `ConditioningAugmentation`
        augmentation: bool = True,  # off: the condition is mu, whatever epsilon
        whitening: bool = False,  # whether `EmbeddingWhitening` is applied to embeddings, not in the paper
        residual: bool = True,  # the first form; off: the later one
        synchronized: bool = False,  # batch statistics over all replicas
        first_map: int = SEED_SIZE,  # pixels of the first map
        **kwargs: object,
    ) -> None:
        super().__init__(
            embedding_dimension=embedding_dimension,
            condition_dimension=condition_dimension,
            activation=activation,
            augmentation=augmentation,
            whitening=whitening,
            **kwargs,
        )
        self.sizes = (size,)
        self.noise_dimension = noise_dimension
        self.generator_width = generator_width
        self.residual = residual
        self.synchronized = synchronized
        self.first_map = first_map
        steps = doublings_between(first_map, size)
        widths = [scaled_width(generator_width, steps - 1 - i) for i in range(steps + 1)]
        self.first_width = widths[0]
        self.augment, self.whiten = self.make_augment(normal), self.make_whiten()
        self.dense = stage_dense(first_map * first_map * self.first_width, use_bias=residual)
        self.batch_norm = batch_norm(synchronized, unbiased=False)
        self.blocks = self._blocks(widths[:-1] if residual else widths)
        self.to_image = StageBlock(3, up=residual, activation='tanh', normalize=False)

    def _blocks(self, widths: list[int]) -> list[keras.layers.Layer]:
        """The up-blocks from map to map; those before a bottleneck, which ends in an activation, have none."""
        blocks: list[keras.layers.Layer] = []
        bottlenecks = BOTTLENECKS if self.residual else 0
        for i, width in enumerate(widths):
            if i:
                activation = 'linear' if i < bottlenecks else 'relu'
                blocks.append(StageBlock(width, up=True, activation=activation, synchronized=self.synchronized))
            if i < bottlenecks:
                blocks.append(StageResidualBlock(bottleneck=True, synchronized=self.synchronized))
        return blocks

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds every layer for `[N, Z]`."""
        self.build_condition()
        self.dense.build((None, self.condition_dimension + self.noise_dimension))
        self.batch_norm.build((None, self.dense.units))
        shape: Shape = (None, self.first_map, self.first_map, self.first_width)
        for block in (*self.blocks, self.to_image):
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def images(self, z: KerasTensor, c: KerasTensor | None = None, training: bool = False) -> tuple[KerasTensor, ...]:
        """Maps noise `[N, Z]`, and conditions `[N, E]`, to one image `[N, s, s, 3]` in [-1, 1]."""
        if c is not None:
            z = ops.cast(z, c.dtype)
            z = ops.concatenate([c, z] if self.residual else [z, c], axis=-1)  # [N, E + Z], each form in its order
        h = self.batch_norm(self.dense(z), training=training)
        h = h if self.residual else ops.relu(h)
        h = ops.reshape(h, (-1, self.first_map, self.first_map, self.first_width))
        for block in self.blocks:
            h = block(h, training=training)  # [N, s/2, s/2, width], or [N, s, s, width / 2]
        return (ops.cast(self.to_image(h), 'float32'),)

    def fold_kernels(self) -> None:
        """See `folding.folded`."""
        fold_batch_norm(self.dense, self.batch_norm)
