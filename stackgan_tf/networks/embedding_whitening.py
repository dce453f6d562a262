"""Whitening of embeddings (not in the paper)."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

from stackgan_tf.networks.convolution_block import Shape

# Directions whose variance is below this share of the largest one are not scaled up to it: they are noise.
FLOOR = 0.01
RESOLUTION = 1e-6  # of float32: smaller differences between embeddings, relative to their size, are rounding


@keras.saving.register_keras_serializable('stackgan_tf')
class EmbeddingWhitening(keras.layers.Layer):
    """A fixed linear map, fitted once, that equalizes the variance of embeddings in all informative directions.

    Fitted, its outputs have mean 0 and mean square 1, the scale of the noise that they are concatenated with.

    A text encoder may put most of its information into directions of small variance, which layers with random initial
    weights take long to use. The layer has no trainable weights; until it is fitted, it is the identity. It computes in
    float32 under any policy: where the variance is small, 16 bits hold little more than the mean.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, 'dtype': 'float32'})

    def build(self, input_shape: Shape) -> None:
        """Builds for embeddings `[N, T]`."""
        dimension = input_shape[-1]
        self.mean = self.add_weight(shape=(dimension,), initializer='zeros', trainable=False, name='mean')
        self.matrix = self.add_weight(shape=(dimension, dimension), initializer='identity', trainable=False, name='map')

    def fit(self, embeddings: np.ndarray) -> None:
        """Fits mean and map to the covariance of embeddings `[N, T]`; if all are alike, their mean alone is removed."""
        mean = embeddings.mean(axis=0, dtype=np.float64)
        self.mean.assign(mean)
        deviations = embeddings - mean
        if np.abs(deviations).max() <= RESOLUTION * np.abs(mean).max():  # rounding, which must not be scaled up
            self.matrix.assign(np.eye(len(mean)))
            return
        variances, directions = np.linalg.eigh(np.cov(deviations, rowvar=False))
        scales = 1.0 / np.sqrt(np.maximum(variances, 0.0) + FLOOR * variances.max())
        scales *= np.sqrt(len(mean) / (variances * scales**2).sum())
        self.matrix.assign(directions * scales @ directions.T)

    def call(self, embedding: KerasTensor) -> KerasTensor:
        """Maps embeddings `[N, T]` to the same shape."""
        return ops.matmul(embedding - self.mean, self.matrix)

    def embeddings_of(self, whitened: np.ndarray) -> np.ndarray:
        """The embeddings `[N, T]` that the fitted map takes to the given outputs `[N, T]`."""
        matrix = self.matrix.numpy().astype(np.float64)
        return np.linalg.solve(matrix, whitened.T).T + self.mean.numpy()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape
