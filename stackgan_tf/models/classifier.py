"""What classifiers share: one network that learns, and its optimiser."""

import keras
import tensorflow as tf

from stackgan_tf.models.trained_model import Rate, TrainedModel, variables_of


class Classifier(TrainedModel):
    """A network that learns what is in pictures. Subclasses make it, call `set_up_network` last, and train."""

    network: keras.Model  # has a `size`, of the pictures it reads

    def set_up_network(self, network: keras.Model, rate: float, decay_steps: int, recorded: tuple[str, ...]) -> None:
        """Takes the network, which is built for its size here, its rate, and the names of what each step records."""
        self.network = network
        network.build((None, network.size, network.size, 3))
        optimizer = keras.optimizers.Adam(Rate(rate, decay_steps))
        optimizer.build(network.trainable_variables)
        self.set_up(optimizer, recorded)

    def pieces(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to go on exactly, by name."""
        return {
            **super().pieces(),
            'network': variables_of(self.network),
            'optimizer': variables_of(self.optimizer),
        }

    def networks(self) -> dict[str, keras.Model]:
        """The classifier."""
        return {'classifier': self.network}
