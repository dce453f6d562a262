"""StackGAN-v2's generator: a tree with one trunk and an image at every scale (StackGAN++, figure 2)."""

from collections.abc import Sequence

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import JointBlock, ResidualBlock, Shape, UpBlock, batch_norm, gated_linear_unit
from stackgan_tf.networks.conditioning_augmentation import ConditioningAugmentation
from stackgan_tf.networks.convolutions import conv
from stackgan_tf.networks.embedding_whitening import EmbeddingWhitening
from stackgan_tf.networks.folding import fold_batch_norm
from stackgan_tf.networks.scales import SEED_SIZE, check_sizes, doublings, image_sizes

NARROWEST_BRANCH = 8


@keras.saving.register_keras_serializable('stackgan_tf')
class FirstBranch(keras.layers.Layer):
    """F_0: maps a vector to features of the smallest scale (StackGAN++, "Multi-scale image distributions")."""

    def __init__(self, size: int, width: int, synchronized: bool = False, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.width = width
        self.synchronized = synchronized
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

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'size': self.size,
            'width': self.width,
            'synchronized': self.synchronized,
        }


@keras.saving.register_keras_serializable('stackgan_tf')
class NextBranch(keras.layers.Layer):
    """F_i: joins the vector with the features of the previous branch, refines them and doubles their size."""

    def __init__(
        self,
        width: int,  # channels after the up-block
        residual_blocks: int = 2,
        synchronized: bool = False,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.residual_blocks = residual_blocks
        self.synchronized = synchronized

    def build(self, vector_shape: Shape, features_shape: Shape) -> None:
        """Builds every layer for vectors `[N, Z]` and features `[N, s, s, C]`."""
        channels = features_shape[-1]
        self.joint = JointBlock(channels, self.synchronized)
        self.residual = [ResidualBlock(self.synchronized) for _ in range(self.residual_blocks)]
        self.up = UpBlock(self.width, synchronized=self.synchronized)
        self.joint.build(vector_shape, features_shape)
        for block in self.residual:
            block.build(features_shape)
        self.up.build(features_shape)

    def call(self, vector: KerasTensor, features: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `[N, Z]` and `[N, s, s, C]` to `[N, 2s, 2s, width]`."""
        h = self.joint(vector, features, training=training)  # [N, s, s, C]
        for block in self.residual:
            h = block(h, training=training)  # [N, s, s, C]
        return self.up(h, training=training)  # [N, 2s, 2s, width]

    def compute_output_shape(self, vector_shape: Shape, features_shape: Shape) -> Shape:
        """`[N, 2s, 2s, width]`."""
        n, height, width, _ = features_shape
        return n, 2 * height, 2 * width, self.width

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'width': self.width,
            'residual_blocks': self.residual_blocks,
            'synchronized': self.synchronized,
        }


@keras.saving.register_keras_serializable('stackgan_tf')
class TreeGenerator(keras.Model):
    """The tree G: maps noise `z ~ N(0, I)`, and an embedding if any, to one image per scale, all from the same trunk.

    Source: StackGAN++, section "StackGAN-v2", figure 2. With `sizes=(64, 128, 256)`, `base_width=64` and 100 noise
    dimensions it is the released unconditional network, 16,472,208 parameters; with embeddings of 1024 numbers the
    released conditional one, 21,239,696. Branch i has `base_width / 2**i` channels, never under 8. The network draws no
    random numbers: noise is an argument. Without embeddings, z is joined with the features of every branch; with them
    the condition c is joined instead, and the trunk starts from c and z.

    `branch_images` selects the ablations of table 5. The branches stay the same; the setting decides which of them
    have an image, and of which size: smaller features are enlarged, by nearest neighbor, before the convolution that
    makes the image.

    Attributes:
        image_sizes: sizes of the images from `images`, one for each branch with an image.
        sizes: sizes of the images from `call`, each once.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (64, 128, 256),  # s_0 < s_1 < ..., each twice the one before
        noise_dimension: int = 100,  # Z
        base_width: int = 64,  # channels at the first scale (GF_DIM of the release)
        residual_blocks: int = 2,  # in every branch after the first
        synchronized: bool = False,  # batch statistics over all replicas
        embedding_dimension: int = 0,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of c
        conditioning: str = 'gated',  # activation after the linear layer, see `ConditioningAugmentation`
        whitened: bool = False,  # whether `EmbeddingWhitening` is applied to embeddings, not in the paper
        augmented: bool = True,  # off: the condition is mu, whatever epsilon
        branch_images: str = 'own_size',  # or 'last_size', 'last_alone'; see `image_sizes`
        **kwargs: object,
    ) -> None:
        # Embeddings and noise keep their float32 under a mixed policy; the layers cast what they read.
        super().__init__(autocast=False, **kwargs)
        self.branch_sizes = check_sizes(sizes)
        self.branch_images = branch_images
        self.image_sizes = image_sizes(self.branch_sizes, branch_images)
        self.sizes = tuple(sorted(set(self.image_sizes)))
        self.noise_dimension = noise_dimension
        self.base_width = base_width
        self.residual_blocks = residual_blocks
        self.synchronized = synchronized
        self.embedding_dimension = embedding_dimension
        self.condition_dimension = condition_dimension if embedding_dimension else 0
        self.conditioning = conditioning
        self.whitened = whitened
        self.augmented = augmented
        if embedding_dimension:
            self.whiten = EmbeddingWhitening() if whitened else None
            self.augment = ConditioningAugmentation(condition_dimension, conditioning, augmented)
        widths = [max(base_width >> i, min(base_width, NARROWEST_BRANCH)) for i in range(len(self.branch_sizes))]
        self.first_branch = FirstBranch(self.branch_sizes[0], widths[0], synchronized)
        self.next_branches = [NextBranch(width, residual_blocks, synchronized) for width in widths[1:]]
        self.to_image = [conv(3) for _ in self.image_sizes]

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds every branch for `[N, Z]`."""
        if self.embedding_dimension:
            self.augment.build((None, self.embedding_dimension))
            if self.whiten is not None:
                self.whiten.build((None, self.embedding_dimension))
        joined = (None, self.condition_dimension or self.noise_dimension)
        first = (None, self.condition_dimension + self.noise_dimension)
        self.first_branch.build(first)
        shapes = [self.first_branch.compute_output_shape(first)]
        for branch in self.next_branches:
            branch.build(joined, shapes[-1])
            shapes.append(branch.compute_output_shape(joined, shapes[-1]))
        for to_image, shape in zip(self.to_image, shapes[-len(self.to_image) :], strict=True):
            to_image.build(shape)

    def read(self, embedding: KerasTensor) -> KerasTensor:
        """The input of conditioning augmentation: the embedding `[N, T]`, whitened where `whitened` is set."""
        return embedding if self.whiten is None else self.whiten(embedding)

    def images(self, z: KerasTensor, c: KerasTensor | None = None, training: bool = False) -> tuple[KerasTensor, ...]:
        """Maps noise `[N, Z]`, and conditions `[N, E]`, to images `[N, s, s, 3]` in [-1, 1] of `image_sizes`."""
        start, joined = (z, z) if c is None else (ops.concatenate([c, ops.cast(z, c.dtype)], axis=-1), c)
        features = [self.first_branch(start, training=training)]  # [N, s_0, s_0, width]
        for branch in self.next_branches:
            features.append(branch(joined, features[-1], training=training))  # [N, s_i, s_i, width_i]
        with_image = zip(self.to_image, features[-len(self.to_image) :], self.image_sizes, strict=True)
        # tanh and the images are float32 under any compute type.
        return tuple(ops.tanh(ops.cast(to_image(_enlarged(h, size)), 'float32')) for to_image, h, size in with_image)

    def call(
        self,
        z: KerasTensor,
        embedding: KerasTensor | None = None,
        conditioning_noise: KerasTensor | None = None,
        training: bool = False,
    ) -> tuple[KerasTensor, ...]:
        """Generates images.

        Args:
            z: noise, `[N, Z]`.
            embedding: phi, `[N, T]`, for a conditional network.
            conditioning_noise: epsilon, `[N, E]`; zeros give the mean of c.
            training: whether batch normalization uses the batch's statistics.

        Returns:
            Images `[N, s, s, 3]` in [-1, 1] of `sizes`, small to large; where several have one size, the last branch's.
        """
        c = self.augment(self.read(embedding), conditioning_noise)[0] if self.embedding_dimension else None
        return self.images(z, c, training=training)[-len(self.sizes) :]

    def compute_output_shape(self, input_shape: Shape, *other_shapes: Shape) -> tuple[Shape, ...]:
        """One `[N, s, s, 3]` per scale."""
        return tuple((input_shape[0], size, size, 3) for size in self.sizes)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'sizes': self.branch_sizes,
            'noise_dimension': self.noise_dimension,
            'base_width': self.base_width,
            'residual_blocks': self.residual_blocks,
            'synchronized': self.synchronized,
            'embedding_dimension': self.embedding_dimension,
            'condition_dimension': self.condition_dimension,
            'conditioning': self.conditioning,
            'whitened': self.whitened,
            'augmented': self.augmented,
            'branch_images': self.branch_images,
        }


def _enlarged(features: KerasTensor, size: int) -> KerasTensor:
    """Enlarges features `[N, s, s, C]` to a size, if it is not theirs, by nearest neighbor."""
    times = size // features.shape[1]
    return features if times == 1 else ops.repeat(ops.repeat(features, times, axis=1), times, axis=2)
