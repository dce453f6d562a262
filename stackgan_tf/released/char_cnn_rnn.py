"""The text encoders that Reed et al. published as Torch files (.t7): from their modules to a `CharCNNRNN`.

Source: the released Lua code of arXiv 1605.05395 and 1605.05396 (`HybridCNN`, `HybridCNNLong`, `FixedRNN`, `FixedGRU`).
An encoder is a graph of modules (nngraph): convolutions, a recurrence, which is itself a graph of all its steps, and a
linear layer. Steps share weights. The role of a step's linear layer follows from the consumer of its output, so this
module follows the edges of that graph.
"""

from typing import Any

import numpy as np

from stackgan_tf.formats.torch7 import TorchObject, as_list
from stackgan_tf.networks.char_cnn_rnn import ALPHABET_SIZE, LENGTH, CharCNNRNN
from stackgan_tf.system.errors import UserError

_KERNEL = 4  # kernel size of the convolutions
_POOLS = {False: [(3, 3), (3, 3)], True: [(3, 3), (3, 3), (3, 2)]}  # window and stride, by `last_pool`
_STEPS = {False: 18, True: 8}  # of the recurrence, by `last_pool`


class _UnknownError(Exception):
    """The file holds something else; the message says what."""


def char_cnn_rnn_of(content: Any, source: str) -> CharCNNRNN:
    """Builds the encoder that a file holds, with its weights; its settings follow from the modules.

    Args:
        content: the output of `read_t7`: the encoder, or a checkpoint of its training.
        source: name of the file in errors.

    Raises:
        UserError: the content is not an encoder of this kind.
    """
    try:
        if isinstance(content, dict):
            content = content[b'protos'][b'enc_doc']
        return _encoder(as_list(_fields(content, 'nn.gModule')[b'modules']))
    except _UnknownError as error:
        raise UserError(f'{source} holds no char-CNN-RNN as published: {error}') from error
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f'{source} holds no char-CNN-RNN as published: its modules are different') from error


def _encoder(modules: list[Any]) -> CharCNNRNN:
    (features,) = _of_class(modules, 'nn.Sequential')
    (recurrence,) = _of_class(modules, 'nn.gModule')
    (embed,) = _of_class(modules, 'nn.Linear')
    layers = as_list(features[b'modules'])
    pools = [(pool[b'kW'], pool[b'dW']) for pool in _of_class(layers, 'nn.TemporalMaxPooling')]
    if pools not in _POOLS.values():
        raise _UnknownError(f'its poolings are {pools}')
    last_pool = pools == _POOLS[True]
    convolutions, channels = [], ALPHABET_SIZE
    for layer in _of_class(layers, 'nn.TemporalConvolution'):
        convolutions.append(_convolution(layer, channels))
        channels = len(layer[b'bias'])
    graph = _Graph(recurrence)
    graph.check_mean(_STEPS[last_pool])
    weights = graph.gated_recurrence() or graph.relu_recurrence()
    network = CharCNNRNN(
        widths=[len(bias) for _, bias in convolutions],
        recurrence='relu' if len(weights) == 2 else 'gru',
        last_pool=last_pool,
        dimension=len(embed[b'bias']),
    )
    ours = [*convolutions, *weights, _linear(embed)]
    if any(len(kernel) != channels for kernel, _ in ours[len(convolutions) :]):
        raise _UnknownError(f'its layers after the convolutions do not all read {channels} numbers')
    network.build((None, LENGTH))
    network.set_weights([array for layer in ours for array in layer])
    return network


class _Graph:
    """The modules of a recurrence and their inputs. A node here is a table, nngraph's `data` of a node."""

    def __init__(self, fields: dict) -> None:
        nodes = [_fields(node, 'nngraph.Node')[b'data'] for node in as_list(fields[b'forwardnodes'])]
        self._nodes = [node for node in nodes if b'module' in node]

    def check_mean(self, steps: int) -> None:
        """Checks that the recurrence returns the mean of its states over a number of steps.

        Raises:
            _UnknownError: it does not.
        """
        factors = [
            _fields(node[b'module'], 'nn.MulConstant')[b'constant_scalar'] for node in self._nodes_of('nn.MulConstant')
        ]
        found = [round(1 / factor) for factor in factors if factor > 0]
        if found != [steps]:
            raise _UnknownError(f'its recurrence does not return the mean over {steps} states')

    def relu_recurrence(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Kernel and bias of the layer that reads the input, and of the one that reads the state."""
        for node in self._nodes_of('nn.ReLU'):
            (source,) = _inputs(node)
            if _class(source) == 'nn.CAddTable':
                from_input, from_state = _inputs(source)
                self._check_shared(2)
                return [_step_layer(from_input), _step_layer(from_state)]
        raise _UnknownError('its recurrence is neither gated nor of ReLU units')

    def gated_recurrence(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Kernel and bias of the three layers of `GatedRecurrence`; empty for another recurrence."""
        for candidate in self._nodes_of('nn.Tanh'):
            (source,) = _inputs(candidate)
            if _class(source) != 'nn.CAddTable':  # the first step, which has no previous state
                continue
            input_candidate, state_candidate = _inputs(source)
            reset, _ = _inputs(_inputs(state_candidate)[0])
            (update,) = [
                first
                for first, *others in map(_inputs, self._nodes_of('nn.CMulTable'))
                if any(o is candidate for o in others)
            ]
            gates = [_gate_layers(update), _gate_layers(reset)]
            self._check_shared(6)
            inputs = [*(_step_layer(from_input) for from_input, _ in gates), _step_layer(input_candidate)]
            states = [_step_layer(from_state) for _, from_state in gates]
            return [_side_by_side(inputs), _side_by_side(states), _step_layer(state_candidate)]
        return []

    def _nodes_of(self, class_name: str) -> list[dict]:
        return [node for node in self._nodes if _class(node) == class_name]

    def _check_shared(self, count: int) -> None:
        """Checks that all steps share weights: there must be `count` different layers."""
        layers = [_step_layer(node) for node in self._nodes_of('nn.Sequential')]
        if len({(kernel.tobytes(), bias.tobytes()) for kernel, bias in layers}) != count:
            raise _UnknownError(f'the steps of its recurrence do not share {count} layers')


def _fields(value: Any, class_name: str) -> dict:
    """The fields of a Torch object, which must be of a class."""
    if not isinstance(value, TorchObject) or value.class_name != class_name:
        found = value.class_name if isinstance(value, TorchObject) else f'a {type(value).__name__}'
        raise _UnknownError(
            f'it has {found[:80] if found.isprintable() else ascii(found)[:80]} in place of {class_name}'
        )
    return value.content


def _of_class(modules: list[Any], class_name: str) -> list[dict]:
    return [module.content for module in modules if module.class_name == class_name]


def _class(node: dict) -> str:
    return node[b'module'].class_name if b'module' in node else ''


def _inputs(node: dict) -> list[dict]:
    """The input nodes of a node, in order; `mapindex` also has the inverse mapping, with those tables as keys."""
    inputs = node[b'mapindex']
    return [inputs[index] for index in range(1, len(inputs) + 1) if index in inputs]


def _gate_layers(node: dict) -> tuple[dict, dict]:
    """The two layers whose outputs a gate sums: that of the input, and that of the state."""
    (source,) = _inputs(node)
    if _class(node) != 'nn.Sigmoid' or _class(source) != 'nn.CAddTable':
        raise _UnknownError('its gates are not sigmoids of sums')
    from_input, from_state = _inputs(source)
    return from_input, from_state


def _step_layer(node: dict) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a step's layer, the only one in its sequence."""
    (layer,) = as_list(_fields(node[b'module'], 'nn.Sequential')[b'modules'])
    return _linear(_fields(layer, 'nn.Linear'))


def _linear(fields: dict) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias as in Keras, [in, out] and [out], from (out, in) and (out)."""
    weight, bias = fields[b'weight'], fields[b'bias']
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        raise _UnknownError(f'it has a linear layer of the shapes {weight.shape} and {bias.shape}')
    return weight.T, bias


def _convolution(fields: dict, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias as in Keras, [kernel, in, out] and [out], from (out, kernel * in) and (out)."""
    weight, bias = fields[b'weight'], fields[b'bias']
    if bias.ndim != 1 or weight.shape != (len(bias), _KERNEL * channels):
        raise _UnknownError(f'it has a convolution of the shapes {weight.shape} and {bias.shape}')
    return weight.reshape(len(bias), _KERNEL, channels).transpose(1, 2, 0), bias


def _side_by_side(layers: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Joins layers of the same input into one."""
    kernels, biases = zip(*layers, strict=True)
    return np.concatenate(kernels, axis=1), np.concatenate(biases)
