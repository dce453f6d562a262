"""A classifier of the classes of images, which then scores generated ones: the paper's fine-tuned Inception."""

from collections.abc import Sequence
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.models.batch import Batch
from stackgan_tf.models.classifier import Classifier
from stackgan_tf.networks.class_classifier import ClassClassifierNetwork
from stackgan_tf.networks.image_encoder import BACKBONES
from stackgan_tf.networks.scales import check_sizes
from stackgan_tf.system.errors import as_user_error
from stackgan_tf.system.ranges import Accepted, AtLeast, Count, OneOf, Seed, Weight


@keras.saving.register_keras_serializable('stackgan_tf')
class ClassClassifier(Classifier):
    """Learns the class of an image, by fine-tuning a network of `keras.applications`."""

    batch_keys = ('images', 'label')

    def __init__(
        self,
        *,
        classes: Count,  # K, of the data set
        sizes: Annotated[Sequence[int], Accepted(check_sizes)] = (256,),  # of the images, pixels; the last is used
        batch_size: Count = 32,  # global
        image_tower: Annotated[str, OneOf(BACKBONES)] = 'InceptionV3',  # a network of keras.applications
        image_weights: str = 'imagenet',  # Keras downloads them once; or a weights file; '': random weights
        tower_size: Count = 299,  # pixels; images are resized to this for the network
        rate: Weight = 1e-4,
        decay_steps: Annotated[int, AtLeast(0)] = 0,  # if set, the rate falls to 0 in the second half of these steps
        seed: Seed = 0,
    ) -> None:
        super().__init__(seed, batch_size)
        self.sizes = tuple(sizes)
        self._image_weights = image_weights
        with as_user_error(f'no {image_tower} for {tower_size} pixels'):
            network = ClassClassifierNetwork(size=tower_size, backbone=image_tower, classes=classes)
        self.set_up_network(network, rate, decay_steps, ('class_loss', 'class_accuracy'))

    def initialize(self, embeddings: np.ndarray | None = None) -> None:
        """Loads the pretrained weights.

        Raises:
            UserError: they cannot be loaded.
        """
        if self._image_weights:
            with as_user_error(f'no weights {self._image_weights!r} for {self.network.backbone}'):
                self.network.load_features(self._image_weights)

    def description(self) -> dict[str, Any]:
        """The size of the images that it is trained on, before they are resized for the network."""
        return {'image_size': self.sizes[-1]}

    def forward_passes(self) -> list[tf.Tensor]:
        """Logits of gray images."""
        return [self.network(tf.zeros((self.batch_size, self.network.size, self.network.size, 3)), training=True)]

    def _resized(self, images: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(images, (self.network.size, self.network.size))

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Classifies images, which it resizes for the network.

        Args:
            inputs: float32 `[N, s, s, 3]` in [-1, 1].
            training: ignored; classification is always in inference mode.

        Returns:
            Logits, float32 `[N, K]`.
        """
        return self.network(self._resized(inputs), training=False)

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """One update.

        Args:
            batch: this replica's rows: `images`, whose last is float32 `[n, size, size, 3]` in [-1, 1]; `label` int32
                `[n]`.

        Returns:
            The loss and the accuracy.
        """
        label = batch['label']
        images = self._resized(batch['images'][-1])
        with tf.GradientTape() as tape:
            logits = self.network(images, training=True)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(label, logits, from_logits=True))
            scaled = loss / self.replicas
        self.apply_gradients(self.optimizer, tape, scaled, self.network.trainable_variables)
        accuracy = tf.reduce_mean(keras.metrics.sparse_categorical_accuracy(label, logits))
        recorded = {'class_loss': loss, 'class_accuracy': accuracy}
        self.record(recorded)
        return recorded
