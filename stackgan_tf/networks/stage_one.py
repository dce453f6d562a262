"""StackGAN-v1's Stage-I generator, and the discriminator of both stages (arXiv 1710.10916, section "StackGAN-v1").

There are two released forms: the first, in TensorFlow, for birds and flowers, which is the default here, and a later
one, in PyTorch, for COCO. The paper's text agrees with the first as far as it goes.
"""

from typing import Any

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import LEAKY_SLOPE, Shape, batch_norm
from stackgan_tf.networks.embedding_whitening import EmbeddingWhitening
from stackgan_tf.networks.folding import fold_batch_norm
from stackgan_tf.networks.scale_discriminator import FEATURE_MULTIPLE
from stackgan_tf.networks.scales import SEED_SIZE
from stackgan_tf.networks.stage_blocks import (
    StageBlock,
    StageResidualBlock,
    doublings_between,
    scaled_width,
    stage_augmentation,
    stage_conv,
    stage_dense,
)

BOTTLENECKS = 2  # on the first maps of Stage-I's generator


@keras.saving.register_keras_serializable('stackgan_tf')
class StageOneGenerator(keras.Model):
    """G_0: from noise `z ~ N(0, I)` and a condition c, if any, to a small image ("Stage-I GAN").

    A dense layer makes map 0, and k = log2(size / first_map) doublings follow. Map i, before the last, has
    `base_width * 2**(k - 1 - i)` channels. In the first form maps 0 and 1 pass a bottleneck, and the last doubling
    makes the image of map k - 1. The later form (`residual=False`) has no bottlenecks, and one more convolution makes
    the image of map k, with half the base width. For 64 pixels both are the released networks, of 14,264,192 and
    10,301,248 parameters; for 256 pixels straight from Stage-I the release has `first_map=16`.
    """

    def __init__(
        self,
        size: int = 64,  # s, pixels
        noise_dimension: int = 100,  # Z
        base_width: int = 128,  # channels of the map before the last (GF_DIM of the release)
        embedding_dimension: int = 1024,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of c
        conditioning: str = 'leaky_relu',  # what follows the linear layer, see `ConditioningAugmentation`
        residual: bool = True,  # the first form; off: the later one
        synchronized: bool = False,  # batch statistics over all replicas
        first_map: int = SEED_SIZE,  # pixels of the first map
        whitened: bool = False,  # whether embeddings go through `EmbeddingWhitening` first, which is not in the paper
        augmented: bool = True,  # off: the condition is mu, whatever epsilon
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.sizes = (size,)
        self.noise_dimension = noise_dimension
        self.base_width = base_width
        self.embedding_dimension = embedding_dimension
        self.condition_dimension = condition_dimension if embedding_dimension else 0
        self.conditioning = conditioning
        self.whitened = whitened
        self.augmented = augmented
        self.residual = residual
        self.synchronized = synchronized
        self.first_map = first_map
        steps = doublings_between(first_map, size)
        widths = [scaled_width(base_width, steps - 1 - i) for i in range(steps + 1)]
        self.first_width = widths[0]
        if embedding_dimension:
            self.augment = stage_augmentation(condition_dimension, conditioning, augmented)
            self.whiten = EmbeddingWhitening() if whitened else None
        self.dense = stage_dense(first_map * first_map * self.first_width, use_bias=residual)
        self.batch_norm = batch_norm(synchronized)
        self.blocks = self._blocks(widths[:-1] if residual else widths)
        self.to_image = StageBlock(3, up=residual, activation='tanh', normalize=False)

    def _blocks(self, widths: list[int]) -> list[keras.layers.Layer]:
        """Up-blocks from map to map; before a bottleneck, whose sum is followed by one, there is no activation."""
        blocks: list[keras.layers.Layer] = []
        bottlenecks = BOTTLENECKS if self.residual else 0
        for i, width in enumerate(widths):
            if i:
                activation = 'linear' if i < bottlenecks else 'relu'
                blocks.append(StageBlock(width, up=True, activation=activation, synchronized=self.synchronized))
            if i < bottlenecks:
                blocks.append(StageResidualBlock(True, synchronized=self.synchronized))
        return blocks

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds every layer for `[N, Z]`."""
        if self.embedding_dimension:
            self.augment.build((None, self.embedding_dimension))
            if self.whiten is not None:
                self.whiten.build((None, self.embedding_dimension))
        self.dense.build((None, self.condition_dimension + self.noise_dimension))
        self.batch_norm.build((None, self.dense.units))
        shape: Shape = (None, self.first_map, self.first_map, self.first_width)
        for block in (*self.blocks, self.to_image):
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def read(self, embedding: KerasTensor) -> KerasTensor:
        """What conditioning augmentation is given of an embedding `[N, T]`: itself, or whitened."""
        return embedding if self.whiten is None else self.whiten(embedding)

    def images(self, z: KerasTensor, c: KerasTensor | None = None, training: bool = False) -> tuple[KerasTensor, ...]:
        """Maps noise `[N, Z]`, and conditions `[N, E]`, to one image `[N, s, s, 3]` in [-1, 1]."""
        if c is not None:
            z = ops.cast(z, c.dtype)
            z = ops.concatenate([c, z] if self.residual else [z, c], axis=-1)  # [N, E + Z], each form in its order
        h = self.batch_norm(self.dense(z), training=training)
        h = h if self.residual else ops.relu(h)
        h = ops.reshape(h, (-1, self.first_map, self.first_map, self.first_width))
        for block in self.blocks:
            h = block(h, training=training)  # [N, s/2, s/2, base_width], or [N, s, s, base_width / 2]
        return (ops.cast(self.to_image(h), 'float32'),)

    def call(
        self,
        z: KerasTensor,
        embedding: KerasTensor | None = None,
        conditioning_noise: KerasTensor | None = None,
        training: bool = False,
    ) -> tuple[KerasTensor, ...]:
        """Generates.

        Args:
            z: noise, `[N, Z]`.
            embedding: phi, `[N, T]`, if the network was made for it.
            conditioning_noise: epsilon, `[N, E]`; zeros give the mean of c.
            training: whether batch normalisation uses the batch's statistics.

        Returns:
            One image `[N, s, s, 3]` in [-1, 1], in a tuple as from the tree.
        """
        c = self.augment(self.read(embedding), conditioning_noise)[0] if self.embedding_dimension else None
        return self.images(z, c, training=training)

    def fold_kernels(self) -> None:
        """See `folding.baked`."""
        fold_batch_norm(self.dense, self.batch_norm)

    def compute_output_shape(self, input_shape: Shape, *other_shapes: Shape) -> tuple[Shape, ...]:
        """`[N, s, s, 3]`, in a tuple."""
        return tuple((input_shape[0], size, size, 3) for size in self.sizes)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'size': self.sizes[0],
            'noise_dimension': self.noise_dimension,
            'base_width': self.base_width,
            'embedding_dimension': self.embedding_dimension,
            'condition_dimension': self.condition_dimension,
            'conditioning': self.conditioning,
            'residual': self.residual,
            'synchronized': self.synchronized,
            'first_map': self.first_map,
            'whitened': self.whitened,
            'augmented': self.augmented,
        }


@keras.saving.register_keras_serializable('stackgan_tf')
class StageDiscriminator(keras.Model):
    """D_0 and D: tells real images from generated ones, and from real ones that do not go with what is told.

    Convolutions of stride 2 bring the image to `last_map`, doubling the width each time; where it is then over eight
    times the base (Stage-II), further convolutions halve it down to that. What is told, through a dense layer of its
    own, is joined with these features by a convolution, and one convolution over the map makes the logit.

    The defaults are the first form: 4,029,824 parameters for 64 pixels, 48,603,520 for 256. The later form has
    `joint_kernel=3, residual=False, logit_bias=True`, is told mu, with `projection=0`, and has the unconditional head
    in Stage-II; its counts are 5,715,713 and 71,269,122. With nothing told there is only the unconditional head.
    """

    def __init__(
        self,
        size: int = 64,  # s, pixels
        base_width: int = 64,  # channels after the first convolution (DF_DIM of the release)
        condition_dimension: int = 1024,  # of what images are matched with, the embedding or mu; 0: unconditional
        projection: int = 128,  # units of the dense layer that reads it; 0: none
        joint_kernel: int = 1,  # of the convolution that joins, and of those that halve the width
        residual: bool = True,  # whether features end with a bottleneck
        released_linear: bool = False,  # no activation between the last two convolutions, as in the released Stage-I
        logit_bias: bool = False,
        unconditional: bool = False,  # a second logit, of the image alone
        last_map: int = SEED_SIZE,  # m, pixels of the features; 16 in the release for 256 pixels from Stage-I
        normalize: bool = True,  # batch normalisation, as in the paper; without it kernels start orthogonal
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.base_width = base_width
        self.condition_dimension = condition_dimension
        self.projection = projection
        self.joint_kernel = joint_kernel
        self.residual = residual
        self.released_linear = released_linear
        self.logit_bias = logit_bias
        self.unconditional = unconditional or not condition_dimension
        self.last_map = last_map
        self.normalize = normalize
        self.synchronized = synchronized
        common: dict[str, Any] = {'normalize': normalize, 'synchronized': synchronized}
        down = [base_width << i for i in range(doublings_between(last_map, size))]
        across = [width // 2 for width in reversed(down) if width > base_width * FEATURE_MULTIPLE]
        last = len(down) + len(across) - 1
        linear = {last: residual, last - 1: released_linear}  # a bottleneck's sum is followed by an activation
        self.blocks = [StageBlock(base_width, 4, 2, activation='leaky_relu', normalize=False)]
        for i, width in enumerate([*down, *across][1:], start=1):
            kernel, strides = (4, 2) if i < len(down) else (joint_kernel, 1)
            activation = 'linear' if linear.get(i) else 'leaky_relu'
            self.blocks.append(StageBlock(width, kernel, strides, activation=activation, **common))
        common['activation'] = 'leaky_relu'
        self.refine = StageResidualBlock(True, **common) if residual else None
        if self.unconditional:
            self.logit = stage_conv(1, last_map, last_map, logit_bias)
        if condition_dimension:
            self.project = stage_dense(projection) if projection else None
            self.joint = StageBlock(([*down, *across])[-1], joint_kernel, **common)
            self.conditional_logit = stage_conv(1, last_map, last_map, logit_bias)
        if not normalize:
            self._start_orthogonal()

    def _start_orthogonal(self) -> None:
        """Without normalisation nothing brings what the small released weights make to a size that is heard."""
        layers = [block.conv for block in self.blocks]
        if self.unconditional:
            layers.append(self.logit)
        if self.condition_dimension:
            layers += [self.joint.conv, self.conditional_logit, *([self.project] if self.project is not None else [])]
        for layer in layers:
            layer.kernel_initializer = keras.initializers.Orthogonal()

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds every layer for `[N, s, s, 3]`."""
        shape = input_shape
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        if self.refine is not None:
            self.refine.build(shape)
        if self.unconditional:
            self.logit.build(shape)
        if self.condition_dimension:
            if self.project is not None:
                self.project.build((None, self.condition_dimension))
            self.joint.build((*shape[:-1], shape[-1] + (self.projection or self.condition_dimension)))
            self.conditional_logit.build(shape)

    def features(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps an image `[N, s, s, 3]` in [-1, 1] to features `[N, m, m, C]`, C at most `8 * base_width`."""
        h = image
        for block in self.blocks:
            h = block(h, training=training)
        return h if self.refine is None else self.refine(h, training=training)

    def unconditional_logits(self, features: KerasTensor) -> KerasTensor:
        """Maps `features` to a logit `[N]`, positive for real, in float32; only if `unconditional`."""
        return ops.cast(self.logit(features)[:, 0, 0, 0], 'float32')

    def conditional_logits(self, features: KerasTensor, condition: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps `features` and what is told `[N, T]` to a logit `[N]`, positive for real and matching, in float32."""
        condition = condition if self.project is None else ops.leaky_relu(self.project(condition), LEAKY_SLOPE)
        h = self.joint.joined(features, condition, training=training)  # [N, m, m, C]
        return ops.cast(self.conditional_logit(h)[:, 0, 0, 0], 'float32')

    def call(self, image: KerasTensor, condition: KerasTensor | None = None, training: bool = False) -> Any:
        """Maps images `[N, s, s, 3]` in [-1, 1] to `match`, or `realness`, or where there are both heads to both."""
        h = self.features(image, training=training)  # [N, m, m, C]
        if condition is None:
            return self.unconditional_logits(h)
        conditional_logits = self.conditional_logits(h, condition, training=training)
        return (conditional_logits, self.unconditional_logits(h)) if self.unconditional else conditional_logits

    def compute_output_shape(self, input_shape: Shape, condition_shape: Shape | None = None) -> Any:
        """`[N]`, with both heads twice."""
        both = condition_shape is not None and self.unconditional
        return ((input_shape[0],),) * 2 if both else (input_shape[0],)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'size': self.size,
            'base_width': self.base_width,
            'condition_dimension': self.condition_dimension,
            'projection': self.projection,
            'joint_kernel': self.joint_kernel,
            'residual': self.residual,
            'released_linear': self.released_linear,
            'logit_bias': self.logit_bias,
            'unconditional': self.unconditional,
            'last_map': self.last_map,
            'normalize': self.normalize,
            'synchronized': self.synchronized,
        }
