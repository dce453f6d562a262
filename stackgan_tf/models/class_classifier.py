"""A classifier of the classes of pictures, which then scores generated ones: the paper's fine-tuned Inception."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.models.classifier import Classifier
from stackgan_tf.networks.class_classifier import ClassClassifierNetwork
from stackgan_tf.system.errors import as_user_error


@keras.saving.register_keras_serializable('stackgan_tf')
class ClassClassifier(Classifier):
    """Learns the class of a picture, from the weights that a network of `keras.applications` was trained to."""

    batch_keys = ('images', 'label')

    def __init__(
        self,
        classes: int,  # K, of the data set
        sizes: Sequence[int] = (256,),  # of the pictures, pixels; the last is used
        batch_size: int = 32,  # global
        image_tower: str = 'InceptionV3',  # a network of keras.applications
        image_weights: str = 'imagenet',  # which Keras downloads once, or a weights file; '' begins at random
        tower_size: int = 299,  # pictures are made this large for it
        rate: float = 1e-4,
        decay_steps: int = 0,  # if set, the rate falls to 0 from half of it on
        seed: int = 0,
    ) -> None:
        super().__init__(seed, batch_size)
        self.sizes = tuple(sizes)
        self._image_weights = image_weights
        with as_user_error(f'no {image_tower} for {tower_size} pixels'):
            network = ClassClassifierNetwork(tower_size, image_tower, classes)
        self.set_up_network(network, rate, decay_steps, ('class_loss', 'class_accuracy'))

    def initialize(self, embeddings: np.ndarray | None = None) -> None:
        """Gets the trained weights.

        Raises:
            UserError: they cannot be had.
        """
        if self._image_weights:
            with as_user_error(f'no weights {self._image_weights!r} for {self.network.backbone}'):
                self.network.load_features(self._image_weights)

    def description(self) -> dict[str, Any]:
        """The size of the images that it is trained on, before they are resized for the network."""
        return {'image_size': self.sizes[-1]}

    def forward_passes(self) -> list[tf.Tensor]:
        """Logits of grey pictures."""
        return [self.network(tf.zeros((self.batch_size, self.network.size, self.network.size, 3)), training=True)]

    def train_step(self, batch: dict[str, Any]) -> dict[str, tf.Tensor]:
        """One update.

        Args:
            batch: this replica's rows: `images`, whose last is float32 `[n, size, size, 3]` in [-1, 1]; `label` int32
                `[n]`.

        Returns:
            The loss, and the share of pictures it was right about.
        """
        label = batch['label']
        images = tf.image.resize(batch['images'][-1], (self.network.size, self.network.size))
        with tf.GradientTape() as tape:
            logits = self.network(images, training=True)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(label, logits, from_logits=True))
            scaled = loss / self.replicas
        self.apply_gradients(self.optimizer, tape, scaled, self.network.trainable_variables)
        accuracy = tf.reduce_mean(keras.metrics.sparse_categorical_accuracy(label, logits))
        recorded = {'class_loss': loss, 'class_accuracy': accuracy}
        self.record(recorded)
        return recorded
