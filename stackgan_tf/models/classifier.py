"""The base of the classifiers: one network and its optimizer."""

import keras
import tensorflow as tf

from stackgan_tf.models.fused_kernels import FusedAdam
from stackgan_tf.models.optimizers import ready
from stackgan_tf.models.trained_model import Rate, TrainedModel, variables_of


class Classifier(TrainedModel):
    """A classifier of images. Subclasses build its network, call `set_up_network` last, and define `train_step`."""

    network: keras.Model  # has a `size`, of its input images in pixels

    def set_up_network(self, network: keras.Model, rate: float, decay_steps: int, recorded: tuple[str, ...]) -> None:
        """Sets and builds the network, its optimizer, and the names of what each step records."""
        self.network = network
        network.build((None, network.size, network.size, 3))
        optimizer = ready(FusedAdam(Rate(rate, decay_steps)), network.trainable_variables)
        self.set_up(optimizer, recorded)

    def checkpoint_variables(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to resume exactly, by name."""
        return {**super().checkpoint_variables(), 'optimizer': variables_of(self.optimizer)}

    def checkpoint_networks(self) -> dict[str, keras.Model]:
        """The classifier."""
        return {'network': self.network}

    def networks(self) -> dict[str, keras.Model]:
        """The classifier."""
        return {'classifier': self.network}
