"""Classifier of an image's class: a trained network of `keras.applications`, fine-tuned on other classes.

The paper scores birds and flowers by an Inception-v3 that was fine-tuned on them (StackGAN++, "Evaluation metrics").
"""

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.image_encoder import BackboneEncoder


@keras.saving.register_keras_serializable('stackgan_tf')
class ClassClassifierNetwork(BackboneEncoder):
    """A backbone whose linear layer gives the logits of classes; all of its weights are trainable.

    Its batch normalization keeps the pretrained statistics: those of batches of a few dozen images are too noisy.
    """

    def __init__(
        self,
        *,
        size: int,  # s, pixels
        backbone: str,  # a name of `BACKBONES`
        classes: int,  # K
        **kwargs: object,
    ) -> None:
        super().__init__(size=size, backbone=backbone, dimension=classes, **kwargs)
        self.features.trainable = True

    def extract(self, image: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """The outputs of a feature extractor, for images `[N, s, s, 3]` in [-1, 1].

        Returns:
            The pooled features, float32 `[N, channels]`, and the probability of each class, float32 `[N, K]`.
        """
        features = self.pooled(image)
        return ops.cast(features, 'float32'), ops.softmax(ops.cast(self.embed(features), 'float32'))
