"""StackGAN-v1's discriminator, of both stages (arXiv 1710.10916, section "StackGAN-v1").

It has the two released forms that `stage_one` names: the one in TensorFlow, which is the default, and the later one in
PyTorch.
"""

from typing import Any

import keras
from keras import KerasTensor

from stackgan_tf.networks.conditional_discriminator import ConditionalDiscriminator
from stackgan_tf.networks.convolution_block import Shape
from stackgan_tf.networks.scale_discriminator import FEATURE_MULTIPLE
from stackgan_tf.networks.scales import SEED_SIZE
from stackgan_tf.networks.stage_blocks import (
    StageBlock,
    StageResidualBlock,
    doublings_between,
    stage_conv,
    stage_dense,
)


@keras.saving.register_keras_serializable('stackgan_tf')
class StageDiscriminator(ConditionalDiscriminator):
    """D_0 and D: separates real images that match their condition from generated and from mismatched ones.

    Convolutions of stride 2 bring the image to `last_map`, doubling the width each time; where the width then exceeds
    eight times the base (Stage-II), further convolutions halve it down to that. A dense layer projects the condition,
    a convolution joins it with these features, and one convolution over the map makes the logit.

    The defaults are the first form: 4,029,824 parameters for 64 pixels, 48,603,520 for 256. The later form has
    `joint_kernel=3, residual=False, logit_bias=True`, its condition is mu, with `projection=0`, and it has the
    unconditional head in Stage-II; its counts are 5,715,713 and 71,269,122. Without a condition there is only the
    unconditional head.
    """

    def __init__(
        self,
        *,
        size: int = 64,  # s, pixels
        width: int = 64,  # channels after the first convolution (DF_DIM of the release)
        condition_dimension: int = 1024,  # of the condition, an embedding or mu; 0: unconditional
        projection: int = 128,  # units of the dense layer that projects the condition; 0: none
        joint_kernel: int = 1,  # size, in the joining convolution and in those that halve the width
        residual: bool = True,  # whether a bottleneck block refines the features
        released_linear: bool = False,  # no activation between the last two convolutions, as in the released Stage-I
        logit_bias: bool = False,
        unconditional: bool = False,  # a second logit, of the image alone
        last_map: int = SEED_SIZE,  # m, pixels of the features; 16 in the release for 256 pixels from Stage-I
        normalization: bool = True,  # batch normalization, as in the paper; off: kernels start orthogonal
        inner_product: bool = False,  # whether an inner product of condition and features is added, not in the paper
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.width = width
        self.condition_dimension = condition_dimension
        self.projection = projection
        self.joint_kernel = joint_kernel
        self.residual = residual
        self.logit_bias = logit_bias
        self.unconditional = unconditional or not condition_dimension
        self.last_map = last_map
        self.normalization = normalization
        self.inner_product = inner_product
        common: dict[str, Any] = {'normalize': normalization, 'synchronized': synchronized}
        down = [width << i for i in range(doublings_between(last_map, size))]
        across = [channels // 2 for channels in reversed(down) if channels > width * FEATURE_MULTIPLE]
        last = len(down) + len(across) - 1
        linear = {last: residual, last - 1: released_linear}  # an activation follows the sum of a bottleneck
        self.blocks = [StageBlock(width, kernel=4, strides=2, activation='leaky_relu', normalize=False)]
        for i, channels in enumerate([*down, *across][1:], start=1):
            kernel, strides = (4, 2) if i < len(down) else (joint_kernel, 1)
            activation = 'linear' if linear.get(i) else 'leaky_relu'
            self.blocks.append(StageBlock(channels, kernel=kernel, strides=strides, activation=activation, **common))
        common['activation'] = 'leaky_relu'
        self.refine = StageResidualBlock(bottleneck=True, **common) if residual else None
        if self.unconditional:
            self.logit = stage_conv(1, last_map, strides=last_map, use_bias=logit_bias)
        if condition_dimension:
            self.project = stage_dense(projection) if projection else None
            self.joint = StageBlock([*down, *across][-1], kernel=joint_kernel, **common)
            self.conditional_logit = stage_conv(1, last_map, strides=last_map, use_bias=logit_bias)
            units = last_map * last_map * self.joint.filters
            self.expected = keras.layers.Dense(units, use_bias=False) if inner_product else None
        if not normalization:
            self._start_orthogonal()

    def _start_orthogonal(self) -> None:
        """Makes kernels orthogonal: without normalization, the small released weights let the signal vanish."""
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
        self.build_heads(shape)

    def features(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps an image `[N, s, s, 3]` in [-1, 1] to features `[N, m, m, C]`, C at most `8 * width`."""
        h = image
        for block in self.blocks:
            h = block(h, training=training)
        return h if self.refine is None else self.refine(h, training=training)
