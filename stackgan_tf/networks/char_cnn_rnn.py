"""The hybrid character-level text encoder (char-CNN-RNN) that the paper's embeddings come from.

Source: Reed et al., "Learning Deep Representations of Fine-Grained Visual Descriptions" (arXiv 1605.05395), and its
released code: the same layers, initialization and recurrences.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.convolution_block import Shape
from stackgan_tf.networks.network import Network

ALPHABET_SIZE = 70
LENGTH = 201  # characters of a caption; the rest is cut off
# By what they are over: how many symbols there are, and how many of a caption are read.
ALPHABETS = {
    'ascii': (ALPHABET_SIZE, LENGTH),  # the published one: a-z, digits and punctuation
    'bytes': (256, 512),  # UTF-8, for captions in any language or of more characters (not in the paper)
}

# The three published networks, by their training data.
PUBLISHED: dict[str, dict[str, Any]] = {
    # birds and flowers; 1,814,144 parameters
    'cvpr2016': {'widths': (384, 512, 256), 'recurrence': 'relu', 'last_pool': True},
    # 2,994,560
    'icml2016_flowers': {'widths': (384, 512, 512), 'recurrence': 'relu', 'last_pool': True},
    # 4,045,184; what StackGAN's birds were trained on
    'icml2016_birds_coco': {'widths': (384, 512, 512), 'recurrence': 'gru', 'last_pool': False},
}


def _initializers(initial_range: float) -> dict[str, Any]:
    """Uniform in `[-initial_range, initial_range]`, biases too, as released; 0: Glorot's."""
    if not initial_range:
        return {'kernel_initializer': keras.initializers.GlorotUniform(), 'bias_initializer': 'zeros'}
    kernel, bias = (keras.initializers.RandomUniform(-initial_range, initial_range) for _ in range(2))
    return {'kernel_initializer': kernel, 'bias_initializer': bias}


def _dense(units: int, initial_range: float) -> keras.layers.Dense:
    return keras.layers.Dense(units, **_initializers(initial_range))


class ReluRecurrence(keras.layers.Layer):
    """A plain recurrent layer without an initial state: h_1 = relu(W x_1), h_t = relu(W x_t + U h_t-1)."""

    def __init__(
        self,
        units: int,
        *,
        initial_range: float = 0.08,  # of the initial weights
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.from_input = _dense(units, initial_range)
        self.from_state = _dense(units, initial_range)

    def build(self, input_shape: Shape) -> None:
        """Builds for `[N, T, C]`."""
        self.from_input.build(input_shape)
        self.from_state.build((None, self.units))

    def call(self, x: KerasTensor) -> KerasTensor:
        """Maps `[N, T, C]` to the states of all steps, `[N, T, units]`."""
        inputs = self.from_input(x)
        states = [ops.relu(inputs[:, 0])]
        for step in range(1, x.shape[1]):
            # A maximum in place of relu: TensorFlow 2.21 fails to fuse relu with these additions, and logs an error.
            states.append(ops.maximum(inputs[:, step] + self.from_state(states[-1]), 0.0))
        return ops.stack(states, axis=1)


class GatedRecurrence(keras.layers.Layer):
    """The released gated recurrent unit: h_t = z c + (1 - z) h_(t-1), with c = tanh(W x_t + U (r h_(t-1))).

    Unlike in Keras's GRU, z weighs the candidate c, and the first step is h_1 = tanh(W x_1), without gates.
    """

    def __init__(
        self,
        units: int,
        *,
        initial_range: float = 0.08,  # of the initial weights
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.from_input = _dense(3 * units, initial_range)  # of update gate z, reset gate r and candidate c
        self.gates_from_state = _dense(2 * units, initial_range)
        self.candidate_from_state = _dense(units, initial_range)

    def build(self, input_shape: Shape) -> None:
        """Builds for `[N, T, C]`."""
        self.from_input.build(input_shape)
        self.gates_from_state.build((None, self.units))
        self.candidate_from_state.build((None, self.units))

    def call(self, x: KerasTensor) -> KerasTensor:
        """Maps `[N, T, C]` to the states of all steps, `[N, T, units]`."""
        gates, candidates = ops.split(self.from_input(x), [2 * self.units], axis=-1)
        states = [ops.tanh(candidates[:, 0])]
        for step in range(1, x.shape[1]):
            h = states[-1]
            z, r = ops.split(ops.sigmoid(gates[:, step] + self.gates_from_state(h)), 2, axis=-1)
            c = ops.tanh(candidates[:, step] + self.candidate_from_state(r * h))
            states.append(z * c + (1.0 - z) * h)
        return ops.stack(states, axis=1)


_RECURRENCES: dict[str, Any] = {'relu': ReluRecurrence, 'gru': GatedRecurrence}


@keras.saving.register_keras_serializable('stackgan_tf')
class CharCNNRNN(Network):
    """phi: maps the characters of a caption to its embedding.

    Three convolutions over the characters, a recurrence over their outputs, the mean over its steps, one linear layer.
    An embedding does not depend on the rest of the batch.
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = (384, 512, 512),  # channels of the convolutions; the last also of the recurrence
        recurrence: str = 'gru',  # or 'relu'
        last_pool: bool = False,  # whether pooling follows the third convolution too
        dimension: int = 1024,  # T, of the embedding
        initial_range: float = 0.08,  # of the initial weights, uniform around 0; 0: Glorot's, for narrow networks
        alphabet: str = 'ascii',  # or 'bytes': what tokens are
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        if recurrence not in _RECURRENCES:
            raise ValueError(f'no recurrence {recurrence!r}: there are {", ".join(_RECURRENCES)}')
        if alphabet not in ALPHABETS:
            raise ValueError(f'no alphabet {alphabet!r}: there are {", ".join(ALPHABETS)}')
        self.widths = tuple(widths)
        self.recurrence = recurrence
        self.last_pool = last_pool
        self.dimension = dimension
        self.initial_range = initial_range
        self.alphabet = alphabet
        self.symbols, self.length = ALPHABETS[alphabet]
        self.convolutions = [
            keras.layers.Conv1D(width, 4, activation='relu', **_initializers(initial_range)) for width in self.widths
        ]
        self.recurrent = _RECURRENCES[recurrence](self.widths[-1], initial_range=initial_range)
        self.embed = _dense(dimension, initial_range)

    def build(self, input_shape: Shape) -> None:
        """Builds every layer for tokens `[N, length]`."""
        shape = (None, self.length, self.symbols)
        for convolution, (window, stride) in zip(self.convolutions, self._pools(), strict=True):
            convolution.build(shape)
            _, length, channels = convolution.compute_output_shape(shape)
            shape = (None, (length - window) // stride + 1, channels)
        self.recurrent.build(shape)
        self.embed.build((None, self.widths[-1]))

    def _pools(self) -> list[tuple[int, int]]:
        """Window and stride of the pooling after each convolution."""
        return [(3, 3), (3, 3), (3, 2) if self.last_pool else (1, 1)]

    def call(self, tokens: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps tokens, int32 `[N, length]` in [-1, symbols), to embeddings, float32 `[N, dimension]`.

        -1 stands for characters outside the alphabet and for padding: it has no feature.
        Shapes in the comments are those of the published alphabet.
        """
        h = ops.one_hot(ops.cast(tokens, 'int32'), self.symbols, dtype=self.compute_dtype)  # [N, 201, 70]
        for convolution, (window, stride) in zip(self.convolutions, self._pools(), strict=True):
            h = convolution(h)  # [N, 198, widths[0]], [N, 63, widths[1]], [N, 18, widths[2]]
            if window > 1:
                h = ops.max_pool(h, window, stride)  # [N, 66, ...], [N, 21, ...], [N, 8, ...]
        h = ops.mean(self.recurrent(h), axis=1)  # [N, widths[2]]
        return ops.cast(self.embed(h), 'float32')
