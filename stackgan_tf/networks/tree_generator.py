"""StackGAN-v2's generator: a tree with one trunk and an image at every scale (StackGAN++, figure 2)."""

from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import JointBlock, ResidualBlock, UpBlock
from stackgan_tf.networks.conditional_generator import ConditionalGenerator
from stackgan_tf.networks.convolution_block import Shape, batch_norm, gated_linear_unit
from stackgan_tf.networks.convolutions import conv
from stackgan_tf.networks.folding import fold_batch_norm
from stackgan_tf.networks.scales import SEED_SIZE, check_sizes, doublings, image_sizes

NARROWEST_BRANCH = 8


@keras.saving.register_keras_serializable('stackgan_tf')
class FirstBranch(keras.layers.Layer):
    """F_0: maps a vector to features of the smallest scale (StackGAN++, "Multi-scale image distributions")."""

    def __init__(
        self,
        *,
        size: int,  # s, pixels
        width: int,  # channels of the features
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.width = width
        steps = doublings(size)
        self.seed_channels = width << steps  # halved by each up-block, so it ends at `width`
        self.dense = keras.layers.Dense(
            SEED_SIZE * SEED_SIZE * self.seed_channels * 2,
            use_bias=False,
            kernel_initializer=keras.initializers.Orthogonal(),
        )
        self.batch_norm = batch_norm(synchronized)
        self.up = [UpBlock(self.seed_channels >> i, synchronized=synchronized) for i in range(1, steps + 1)]

    def build(self, input_shape: Shape) -> None:
        """Builds every layer for vectors `[N, Z]`."""
        self.dense.build(input_shape)
        self.batch_norm.build((None, self.dense.units))
        shape: Shape = (None, SEED_SIZE, SEED_SIZE, self.seed_channels)
        for block in self.up:
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def call(self, z: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, Z]` to `[N, s, s, width]`."""
        h = gated_linear_unit(self.batch_norm(self.dense(z), training=training))
        h = ops.reshape(h, (-1, SEED_SIZE, SEED_SIZE, self.seed_channels))
        for block in self.up:
            h = block(h, training=training)
        return h

    def fold_kernels(self) -> None:
        """See `folding.folded`."""
        fold_batch_norm(self.dense, self.batch_norm)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`[N, s, s, width]`."""
        return input_shape[0], self.size, self.size, self.width


@keras.saving.register_keras_serializable('stackgan_tf')
class NextBranch(keras.layers.Layer):
    """F_i: joins the vector with the features of the previous branch, refines them and doubles their size."""

    def __init__(
        self,
        *,
        width: int,  # channels after the up-block
        residual_blocks: int = 2,
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.residual_blocks = residual_blocks
        self.synchronized = synchronized

    def build(self, vector_shape: Shape, features_shape: Shape) -> None:
        """Builds every layer for vectors `[N, Z]` and features `[N, s, s, C]`."""
        channels = features_shape[-1]
        self.joint = JointBlock(channels, synchronized=self.synchronized)
        self.residual = [ResidualBlock(synchronized=self.synchronized) for _ in range(self.residual_blocks)]
        self.up = UpBlock(self.width, synchronized=self.synchronized)
        self.joint.build(features_shape, vector_shape)
        for block in self.residual:
            block.build(features_shape)
        self.up.build(features_shape)

    def call(self, vector: KerasTensor, features: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, Z]` and `[N, s, s, C]` to `[N, 2s, 2s, width]`."""
        h = self.joint(features, vector, training=training)  # [N, s, s, C]
        for block in self.residual:
            h = block(h, training=training)  # [N, s, s, C]
        return self.up(h, training=training)  # [N, 2s, 2s, width]

    def compute_output_shape(self, vector_shape: Shape, features_shape: Shape) -> Shape:
        """`[N, 2s, 2s, width]`."""
        n, height, width, _ = features_shape
        return n, 2 * height, 2 * width, self.width


@keras.saving.register_keras_serializable('stackgan_tf')
class TreeGenerator(ConditionalGenerator):
    """The tree G: maps noise `z ~ N(0, I)`, and an embedding if any, to one image per scale, all from the same trunk.

    Source: StackGAN++, section "StackGAN-v2", figure 2. With `sizes=(64, 128, 256)`, `generator_width=64` and 100 noise
    dimensions it is the released unconditional network, 16,472,208 parameters; with embeddings of 1024 numbers the
    released conditional one, 21,239,696. Branch i has `generator_width / 2**i` channels, never under 8. The network
    draws no random numbers: noise is an argument. Without embeddings, z is joined with the features of every branch;
    with them the condition c is joined instead, and the trunk starts from c and z.

    `branch_images` selects the ablations of table 5. The branches stay the same; the setting decides which of them
    have an image, and of which size: smaller features are enlarged, by nearest neighbor, before the convolution that
    makes the image.

    Attributes:
        image_sizes: sizes of the images from `images`, one for each branch with an image.
        sizes: sizes of the images from `call`, each once.
    """

    def __init__(
        self,
        *,
        sizes: Sequence[int] = (64, 128, 256),  # s_0 < s_1 < ..., each twice the one before
        noise_dimension: int = 100,  # Z
        generator_width: int = 64,  # channels at the first scale (GF_DIM of the release)
        residual_blocks: int = 2,  # in every branch after the first
        synchronized: bool = False,  # batch statistics over all replicas
        embedding_dimension: int = 0,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of c
        activation: str = 'gated',  # after the linear layer, see `ConditioningAugmentation`
        augmentation: bool = True,  # off: the condition is mu, whatever epsilon
        whitening: bool = False,  # whether `EmbeddingWhitening` is applied to embeddings, not in the paper
        branch_images: str = 'own_size',  # or 'last_size', 'last_alone'; see `image_sizes`
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
        self.branch_sizes = check_sizes(sizes)
        self.branch_images = branch_images
        self.image_sizes = image_sizes(self.branch_sizes, branch_images)
        self.sizes = tuple(sorted(set(self.image_sizes)))
        self.noise_dimension = noise_dimension
        self.generator_width = generator_width
        self.residual_blocks = residual_blocks
        self.whiten, self.augment = self.make_whiten(), self.make_augment()
        narrowest = min(generator_width, NARROWEST_BRANCH)
        widths = [max(generator_width >> i, narrowest) for i in range(len(self.branch_sizes))]
        self.first_branch = FirstBranch(size=self.branch_sizes[0], width=widths[0], synchronized=synchronized)
        self.next_branches = [
            NextBranch(width=width, residual_blocks=residual_blocks, synchronized=synchronized) for width in widths[1:]
        ]
        self.to_image = [conv(3) for _ in self.image_sizes]

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds every branch for `[N, Z]`."""
        self.build_condition()
        joined = (None, self.condition_dimension or self.noise_dimension)
        first = (None, self.condition_dimension + self.noise_dimension)
        self.first_branch.build(first)
        shapes = [self.first_branch.compute_output_shape(first)]
        for branch in self.next_branches:
            branch.build(joined, shapes[-1])
            shapes.append(branch.compute_output_shape(joined, shapes[-1]))
        for to_image, shape in zip(self.to_image, shapes[-len(self.to_image) :], strict=True):
            to_image.build(shape)

    def images(self, z: KerasTensor, c: KerasTensor | None = None, training: bool = False) -> tuple[KerasTensor, ...]:
        """Maps noise `[N, Z]`, and conditions `[N, E]`, to images `[N, s, s, 3]` in [-1, 1] of `image_sizes`."""
        start, joined = (z, z) if c is None else (ops.concatenate([c, ops.cast(z, c.dtype)], axis=-1), c)
        features = [self.first_branch(start, training=training)]  # [N, s_0, s_0, width]
        for branch in self.next_branches:
            features.append(branch(joined, features[-1], training=training))  # [N, s_i, s_i, width_i]
        with_image = zip(self.to_image, features[-len(self.to_image) :], self.image_sizes, strict=True)
        # tanh and the images are float32 under any compute type.
        return tuple(ops.tanh(ops.cast(to_image(_enlarged(h, size)), 'float32')) for to_image, h, size in with_image)


def _enlarged(features: KerasTensor, size: int) -> KerasTensor:
    """Enlarges features `[N, s, s, C]` to a size, if it is not theirs, by nearest neighbor."""
    times = size // features.shape[1]
    return features if times == 1 else ops.repeat(ops.repeat(features, times, axis=1), times, axis=2)
