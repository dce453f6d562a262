"""A classifier of the attributes of images, which then scores generated images."""

from collections.abc import Sequence
from typing import Annotated, Any

import keras
import tensorflow as tf

from stackgan_tf.models.batch import Batch
from stackgan_tf.models.classifier import Classifier
from stackgan_tf.networks.attribute_classifier import AttributeClassifierNetwork
from stackgan_tf.networks.channel_classifier import CHANNELS, ChannelClassifierNetwork
from stackgan_tf.networks.scales import check_sizes
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import Accepted, AtLeast, Count, Seed, Weight


@keras.saving.register_keras_serializable('stackgan_tf')
class AttributeClassifier(Classifier):
    """Learns all attributes of an image together; the loss is the sum of their cross-entropies."""

    batch_keys = ('images', 'attributes')

    def __init__(
        self,
        *,
        names: Sequence[str],  # of the attributes, in the order of the data set; its last ones may be left out
        choices: Sequence[Count],  # K_a, the number of values of each
        sizes: Annotated[Sequence[int], Accepted(check_sizes)] = (64,),  # of the images, pixels; the last is used
        batch_size: Count = 64,  # global
        each_channel: bool = False,  # whether attribute a is that of color channel a, read by itself
        width: Count = 16,  # channels after the first convolution
        rate: Weight = 2e-3,
        decay_steps: Annotated[int, AtLeast(0)] = 0,  # if set, the rate falls to 0 in the second half of these steps
        seed: Seed = 0,
    ) -> None:
        super().__init__(seed, batch_size)
        self.names = tuple(names)
        self.sizes = tuple(sizes)
        settings: dict[str, Any] = {'size': self.sizes[-1], 'width': width, 'synchronized': self.replicas > 1}
        if each_channel and not len(self.names) == CHANNELS == tuple(choices).count(choices[0]):
            raise UserError(
                f'AttributeClassifier.each_channel reads {CHANNELS} attributes with equally many choices, not '
                f'{", ".join(self.names)} with {tuple(choices)}: set other names and choices'
            )
        network = (
            ChannelClassifierNetwork(choices=choices[0], **settings)
            if each_channel
            else AttributeClassifierNetwork(choices=choices, **settings)
        )
        recorded = ('attribute_loss', *(f'{name}_accuracy' for name in self.names))
        self.set_up_network(network, rate, decay_steps, recorded)

    def description(self) -> dict[str, Any]:
        """The names of the attributes."""
        return {'attributes': list(self.names), 'image_size': self.sizes[-1]}

    def forward_passes(self) -> list[tf.Tensor]:
        """Logits of gray images."""
        return list(self.network(tf.zeros((self.batch_size, self.network.size, self.network.size, 3)), training=True))

    def call(self, inputs: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, ...]:
        """Classifies images.

        Args:
            inputs: float32 `[N, size, size, 3]` in [-1, 1].
            training: ignored; classification is always in inference mode.

        Returns:
            Logits, float32 `[N, K_a]` of each attribute.
        """
        return self.network(inputs, training=False)

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """One update.

        Args:
            batch: this replica's rows: `images`, whose last is float32 `[n, size, size, 3]` in [-1, 1]; `attributes`
                int32 `[n, A]`, of which it learns the first.

        Returns:
            The loss, and the accuracy of each attribute.
        """
        truth = tf.unstack(batch['attributes'][:, : len(self.names)], len(self.names), axis=1)
        with tf.GradientTape() as tape:
            logits = self.network(batch['images'][-1], training=True)
            losses = map(keras.losses.sparse_categorical_crossentropy, truth, logits, [True] * len(truth))
            loss = tf.add_n([tf.reduce_mean(of_rows) for of_rows in losses])
            scaled = loss / self.replicas
        self.apply_gradients(self.optimizer, tape, scaled, self.network.trainable_variables)
        correct = map(keras.metrics.sparse_categorical_accuracy, truth, logits)
        accuracies = {f'{name}_accuracy': tf.reduce_mean(of) for name, of in zip(self.names, correct, strict=True)}
        recorded = {'attribute_loss': loss, **accuracies}
        self.record(recorded)
        return recorded
