"""Phases of a text encoder, and of a model that reads its embeddings, small enough to train in a test."""

import keras
import tensorflow as tf
from captioned import WordEncoder

from stackgan_tf.data.embeddings import CaptionEmbeddings
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.models.trained_model import TrainedModel, variables_of


class Reader(TrainedModel):
    """Learns the mean embedding."""

    sizes = (8,)
    batch_keys = ('images', 'embedding')

    def __init__(self, embedding_dimension=4):
        super().__init__(seed=0, batch_size=3)
        self.embedding_dimension = embedding_dimension
        self.mean = keras.layers.Dense(1, use_bias=False)
        self.mean.build((None, embedding_dimension))
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build(self.mean.trainable_variables)
        self.set_up(optimizer, ('mean_loss',))

    def checkpoint_variables(self):
        return {**super().checkpoint_variables(), 'mean': variables_of(self.mean)}

    def networks(self):
        return {'mean': self.mean}

    def forward_passes(self):
        return []

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.mean(batch['embedding']) - 1.0) ** 2)
        self.apply_gradients(self.optimizer, tape, loss, self.mean.trainable_variables)
        self.record({'mean_loss': loss})
        return {'mean_loss': loss}


def matching(alphabet='ascii'):
    """A text encoder with embeddings of 5 numbers."""
    return TextMatching(
        alphabet=alphabet,
        sizes=(8,),
        batch_size=6,
        widths=(4, 4, 4),
        recurrence='relu',
        dimension=5,
        initial_range=0.0,
        image_width=4,
    )


def words(source):
    """Embeddings of 4 numbers by a given encoder."""
    return CaptionEmbeddings(source, WordEncoder())
