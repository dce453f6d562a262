"""StackGAN-v2's discriminators: one network per scale of the tree (StackGAN++, figure 2, the D_i)."""

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import LEAKY_SLOPE, LeakyBlock, Shape, conv
from stackgan_tf.networks.scales import SEED_SIZE, check_sizes, doublings

# The features at 4x4 are reduced to at most this many times the base width.
FEATURE_MULTIPLE = 8


@keras.saving.register_keras_serializable('stackgan_tf')
class ScaleDiscriminator(keras.Model):
    """D_i: tells real images of one scale from generated ones.

    log2(size / 4) convolutions of stride 2 bring the image to 4x4, doubling the width each time; 3x3 convolutions
    bring the width back to eight times the base where it
    is more; one 4x4 convolution makes the logit. At base width 64 the networks
    for 64, 128 and 256 pixels are the released ones: 2,765,569, 15,875,841 and 68,310,785 parameters.
    """

    def __init__(
        self,
        size: int,  # s, pixels
        base_width: int = 64,  # channels after the first convolution (DF_DIM of the release)
        normalize: bool = True,  # batch normalisation, as in the paper
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        check_sizes((size,))
        self.size = size
        self.base_width = base_width
        self.normalize = normalize
        self.synchronized = synchronized
        down = [base_width << i for i in range(1, doublings(size))]
        features = base_width * FEATURE_MULTIPLE
        across = [width // 2 for width in reversed(down) if width > features]
        self.first = conv(base_width, 4, 2)
        self.down = [LeakyBlock(width, 2, normalize, synchronized) for width in down]
        self.across = [LeakyBlock(width, 1, normalize, synchronized) for width in across]
        self.logit = keras.layers.Conv2D(1, SEED_SIZE, kernel_initializer=keras.initializers.Orthogonal())

    def build(self, input_shape: Shape) -> None:
        """Builds every layer for `[N, s, s, 3]`."""
        shape = input_shape
        for layer in (self.first, *self.down, *self.across, self.logit):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def features(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps an image `[N, s, s, 3]` in [-1, 1] to features `[N, 4, 4, C]`, C at most `8 * base_width`."""
        h = ops.leaky_relu(self.first(image), LEAKY_SLOPE)  # [N, s/2, s/2, base_width]
        for block in (*self.down, *self.across):
            h = block(h, training=training)
        return h

    def call(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps an image `[N, s, s, 3]` in [-1, 1] to a logit `[N]`, positive for real, in float32."""
        h = self.features(image, training=training)  # [N, 4, 4, C]
        return ops.cast(self.logit(h)[:, 0, 0, 0], 'float32')

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`[N]`."""
        return (input_shape[0],)

    def get_config(self) -> dict[str, object]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'size': self.size,
            'base_width': self.base_width,
            'normalize': self.normalize,
            'synchronized': self.synchronized,
        }
