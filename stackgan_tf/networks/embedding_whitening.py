"""Brings embeddings to one scale (not in the paper)."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import Shape

# Directions that vary less than this share of the one that varies most are not brought to its scale: they are noise.
FLOOR = 0.01


@keras.saving.register_keras_serializable('stackgan_tf')
class EmbeddingWhitening(keras.layers.Layer):
    """A fixed linear map, fitted once: afterwards embeddings vary about as much in all directions that say something.

    Their numbers have mean 0 and mean square 1 then, so that what they say is as loud as the noise beside it.

    A text encoder is free to say most in directions that hardly vary, where layers that begin with random weights take
    long to hear it. Nothing here learns; until it is fitted, it changes nothing.
    """

    def build(self, input_shape: Shape) -> None:
        """Builds for embeddings `[N, T]`."""
        dimension = input_shape[-1]
        self.mean = self.add_weight(shape=(dimension,), initializer='zeros', trainable=False, name='mean')
        self.matrix = self.add_weight(shape=(dimension, dimension), initializer='identity', trainable=False, name='map')

    def fit(self, embeddings: np.ndarray) -> None:
        """Takes mean and covariance of embeddings `[N, T]`."""
        mean = embeddings.mean(axis=0, dtype=np.float64)
        variances, directions = np.linalg.eigh(np.cov(embeddings - mean, rowvar=False))
        scales = 1.0 / np.sqrt(np.maximum(variances, 0.0) + FLOOR * variances.max())
        scales *= np.sqrt(len(mean) / (variances * scales**2).sum())
        self.mean.assign(mean)
        self.matrix.assign(directions * scales @ directions.T)

    def call(self, embedding: KerasTensor) -> KerasTensor:
        """Maps embeddings `[N, T]` to as many numbers."""
        return ops.matmul(embedding - self.mean, self.matrix)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The same."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config()
