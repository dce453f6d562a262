"""The image encoders that text encoders are trained with.

Reed et al. (arXiv 1605.05395) used fixed features of a GoogLeNet; `BackboneEncoder` does the same with any network of
`keras.applications`. `ImageEncoder` is a small network that is trained with the text encoder.
"""

import importlib

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import LeakyBlock
from stackgan_tf.networks.convolution_block import Shape
from stackgan_tf.networks.network import Network
from stackgan_tf.networks.scales import check_sizes, doublings


@keras.saving.register_keras_serializable('stackgan_tf')
class ImageEncoder(Network):
    """Convolutions of stride 2 with batch normalization down to 4x4, doubling the width, and one linear layer."""

    def __init__(
        self,
        *,
        size: int,  # s, pixels
        width: int = 32,  # channels after the first convolution
        dimension: int = 1024,  # T, of the features
        synchronized: bool = False,  # batch statistics over all replicas
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        check_sizes((size,))
        self.size = size
        self.dimension = dimension
        self.blocks = [LeakyBlock(width << i, synchronized=synchronized) for i in range(doublings(size))]
        self.embed = keras.layers.Dense(dimension)

    def build(self, input_shape: Shape) -> None:
        """Builds every layer for `[N, s, s, 3]`."""
        shape = input_shape
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        self.embed.build((None, shape[1] * shape[2] * shape[3]))

    def call(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps images `[N, s, s, 3]` in [-1, 1] to features, float32 `[N, dimension]`."""
        return ops.cast(self.embed(self.last_map(image, training)), 'float32')

    def last_map(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """The last feature map, flattened, which the linear layer reads: `[N, 16 * channels]`."""
        h = image
        for block in self.blocks:
            h = block(h, training=training)  # [N, s/2, s/2, width], ...
        return ops.reshape(h, (-1, self.embed.kernel.shape[0]))


# The networks of keras.applications, by name.
BACKBONES = {name: build for name, build in vars(keras.applications).items() if name[0].isupper()}


@keras.saving.register_keras_serializable('stackgan_tf')
class BackboneEncoder(Network):
    """Fixed features of a trained network, averaged over the image, and one trainable linear layer."""

    def __init__(
        self,
        *,
        size: int,  # s, pixels
        backbone: str,  # a name of `BACKBONES`
        dimension: int = 1024,  # T, of the features
        **kwargs: object,
    ) -> None:
        # Images are preprocessed in float32 under a mixed policy too; in bfloat16, 0..255 has steps of 1.
        super().__init__(autocast=False, **kwargs)
        self.size = size
        self.backbone = backbone
        self.dimension = dimension
        self._preprocess = importlib.import_module(BACKBONES[backbone].__module__).preprocess_input
        self.features = self._make_features(None)
        self.features.trainable = False
        self.embed = keras.layers.Dense(dimension)

    def _make_features(self, weights: str | None) -> keras.Model:
        shape = (self.size, self.size, 3)
        return BACKBONES[self.backbone](include_top=False, weights=weights, input_shape=shape, pooling='avg')

    def load_features(self, weights: str) -> None:
        """Loads trained weights of the fixed features: 'imagenet', which Keras downloads once, or a weights file."""
        self.features.set_weights(self._make_features(weights).get_weights())

    def build(self, input_shape: Shape) -> None:
        """Builds the linear layer."""
        self.embed.build(self.features.output_shape)

    def call(self, image: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps images `[N, s, s, 3]` in [-1, 1] to features, float32 `[N, dimension]`."""
        return ops.cast(self.embed(self.pooled(image)), 'float32')

    def pooled(self, image: KerasTensor) -> KerasTensor:
        """The features averaged over the image: `[N, channels]`."""
        return self.features(self._preprocess((image + 1.0) * 127.5), training=False)
