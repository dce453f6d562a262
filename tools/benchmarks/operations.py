"""The number of operations of a graph's convolutions and matrix products; a multiply-add counts as two."""

import math

import tensorflow as tf


def matrix_operations(graph: tf.Graph) -> int:
    """The number of operations of convolutions, their gradients and matrix products that a function's graph runs."""
    return sum(_operations(node) for node in _needed(graph))


def _needed(graph: tf.Graph) -> list[tf.Operation]:
    """The nodes on which outputs and assignments depend; the others are never run."""
    waiting = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    found: dict[str, tf.Operation] = {}
    while waiting:
        node = waiting.pop()
        if node.name not in found:
            found[node.name] = node
            waiting += [tensor.op for tensor in node.inputs] + list(node.control_inputs)
    return list(found.values())


def _operations(node: tf.Operation) -> int:
    if node.type == 'Conv2D':
        return _convolution(node.inputs[1].shape, node.outputs[0].shape)
    if node.type == 'Conv2DBackpropInput':
        return _convolution(node.inputs[1].shape, node.inputs[2].shape)
    if node.type == 'Conv2DBackpropFilter':
        return _convolution(node.outputs[0].shape, node.inputs[2].shape)
    if node.type in ('MatMul', 'BatchMatMulV2', 'BatchMatMulV3'):
        rows = node.inputs[0].shape[-2 if node.get_attr(_transposed(node)) else -1]
        return 2 * math.prod(node.outputs[0].shape) * rows
    return 0


def _convolution(kernel: tf.TensorShape, output: tf.TensorShape) -> int:
    height, width, channels, _ = kernel
    return 2 * math.prod(output) * height * width * channels


def _transposed(node: tf.Operation) -> str:
    return 'transpose_a' if node.type == 'MatMul' else 'adj_x'
