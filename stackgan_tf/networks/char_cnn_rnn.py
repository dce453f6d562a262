"""The hybrid character-level text encoder (char-CNN-RNN) that the paper's embeddings come from.

Source: Reed et al., "Learning Deep Representations of Fine-Grained Visual Descriptions" (arXiv 1605.05395), and its
released code, whose layers, initialisation and recurrences these are.
"""

from typing import Any

import keras
from keras import KerasTensor, ops

from stackgan_tf.networks.blocks import Shape

ALPHABET_SIZE = 70
LENGTH = 201  # characters of a caption that are read

# The three networks that were published, by the data they were trained on.
PUBLISHED: dict[str, dict[str, Any]] = {
    'cvpr2016': {'width': 256, 'recurrence': 'relu', 'last_pool': True},  # birds and flowers; 1,814,144 parameters
    'icml2016_flowers': {'width': 512, 'recurrence': 'relu', 'last_pool': True},  # 2,994,560
    'icml2016_birds_coco': {'width': 512, 'recurrence': 'gru', 'last_pool': False},  # 4,045,184; StackGAN's birds
}


def _uniform() -> keras.initializers.Initializer:
    return keras.initializers.RandomUniform(-0.08, 0.08)


def _dense(units: int) -> keras.layers.Dense:
    return keras.layers.Dense(units, kernel_initializer=_uniform(), bias_initializer=_uniform())


class ReluRecurrence(keras.layers.Layer):
    """A plain recurrent layer without a state before its first step: h_1 = relu(W x_1), h_t = relu(W x_t + U h_t-1)."""

    def __init__(self, units: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.from_input = _dense(units)
        self.from_state = _dense(units)

    def build(self, input_shape: Shape) -> None:
        """Builds for `[N, T, C]`."""
        self.from_input.build(input_shape)
        self.from_state.build((None, self.units))

    def call(self, x: KerasTensor) -> KerasTensor:
        """Maps `[N, T, C]` to the states of all steps, `[N, T, units]`."""
        inputs = self.from_input(x)
        states = [ops.relu(inputs[:, 0])]
        for step in range(1, x.shape[1]):
            states.append(ops.relu(inputs[:, step] + self.from_state(states[-1])))
        return ops.stack(states, axis=1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), 'units': self.units}


class GatedRecurrence(keras.layers.Layer):
    """The released gated recurrent unit: h_t = z c + (1 - z) h_(t-1), with c = tanh(W x_t + U (r h_(t-1))).

    Unlike Keras's, z weighs the candidate c; and the first step is h_1 = tanh(W x_1), without gates.
    """

    def __init__(self, units: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.from_input = _dense(3 * units)  # of update gate z, reset gate r and candidate c
        self.gates_from_state = _dense(2 * units)
        self.candidate_from_state = _dense(units)

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

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), 'units': self.units}


_RECURRENCES: dict[str, Any] = {'relu': ReluRecurrence, 'gru': GatedRecurrence}


@keras.saving.register_keras_serializable('stackgan_tf')
class CharCNNRNN(keras.Model):
    """phi: from the characters of a caption to its embedding.

    Three convolutions over the characters, a recurrence over what is left of them, the mean over its steps, one linear
    layer. Nothing in it depends on the batch.
    """

    def __init__(
        self,
        width: int = 512,  # channels of the third convolution and of the recurrence
        recurrence: str = 'gru',  # or 'relu'
        last_pool: bool = False,  # whether the third convolution is pooled too
        dimension: int = 1024,  # T, of the embedding
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        if recurrence not in _RECURRENCES:
            raise ValueError(f'no recurrence {recurrence!r}: there are {", ".join(_RECURRENCES)}')
        self.width = width
        self.recurrence = recurrence
        self.last_pool = last_pool
        self.dimension = dimension
        self.convolutions = [
            keras.layers.Conv1D(
                channels, 4, activation='relu', kernel_initializer=_uniform(), bias_initializer=_uniform()
            )
            for channels in (384, 512, width)
        ]
        self.recurrent = _RECURRENCES[recurrence](width)
        self.embed = _dense(dimension)

    def build(self, input_shape: Shape) -> None:
        """Builds every layer for tokens `[N, LENGTH]`."""
        shape = (None, LENGTH, ALPHABET_SIZE)
        for convolution, (window, stride) in zip(self.convolutions, self._pools(), strict=True):
            convolution.build(shape)
            _, length, channels = convolution.compute_output_shape(shape)
            shape = (None, (length - window) // stride + 1, channels)
        self.recurrent.build(shape)
        self.embed.build((None, self.width))

    def _pools(self) -> list[tuple[int, int]]:
        """Window and stride of the pooling after each convolution."""
        return [(3, 3), (3, 3), (3, 2) if self.last_pool else (1, 1)]

    def call(self, tokens: KerasTensor, training: bool = False) -> KerasTensor:
        """Maps tokens, int32 `[N, LENGTH]` in [-1, ALPHABET_SIZE), to embeddings, float32 `[N, dimension]`.

        -1 stands for what is not in the alphabet and for the end: a character without any feature.
        """
        h = ops.one_hot(ops.cast(tokens, 'int32'), ALPHABET_SIZE, dtype=self.compute_dtype)  # [N, 201, 70]
        for convolution, (window, stride) in zip(self.convolutions, self._pools(), strict=True):
            h = convolution(h)  # [N, 198, 384], [N, 63, 512], [N, 18, width]
            if window > 1:
                h = ops.max_pool(h, window, stride)  # [N, 66, 384], [N, 21, 512], [N, 8, width]
        h = ops.mean(self.recurrent(h), axis=1)  # [N, width]
        return ops.cast(self.embed(h), 'float32')

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            'width': self.width,
            'recurrence': self.recurrence,
            'last_pool': self.last_pool,
            'dimension': self.dimension,
        }
