"""The checks that every layer and network must pass, in one call."""

import json
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import ops


def check_layer(
    make: Callable[[], keras.layers.Layer],
    inputs: tuple[np.ndarray, ...],
    output_shapes: tuple[tuple[int, ...], ...],
    tmp_path,
    training: bool = True,
) -> None:
    """Checks shapes, eager and traced, gradients of all weights, round trips of configuration and weights, bfloat16."""
    layer = make()
    layer.build(*[array.shape for array in inputs])
    outputs = _tuple(layer(*inputs, training=training))
    assert tuple(tuple(output.shape) for output in outputs) == output_shapes
    traced = tf.function(lambda *arrays: layer(*arrays, training=False), autograph=False)
    specs = [tf.TensorSpec((None, *array.shape[1:]), tf.float32) for array in inputs]
    for eager, graph in zip(_tuple(layer(*inputs, training=False)), _tuple(traced(*inputs)), strict=True):
        np.testing.assert_allclose(eager, graph, atol=1e-5)
    assert [tuple(o.shape)[1:] for o in _tuple(traced.get_concrete_function(*specs).structured_outputs)] == [
        shape[1:] for shape in output_shapes
    ]
    _check_gradients(layer, inputs)
    _check_round_trip(layer, inputs, tmp_path)
    _check_mixed_precision(make, inputs)


def _tuple(value):
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _check_gradients(layer, inputs):
    with tf.GradientTape() as tape:
        outputs = _tuple(layer(*inputs, training=True))
        # An arbitrary direction, because normalized outputs have constant sums.
        loss = sum(ops.sum(output * np.random.default_rng(0).normal(size=output.shape)) for output in outputs)
    for variable, gradient in zip(
        layer.trainable_variables, tape.gradient(loss, layer.trainable_variables), strict=True
    ):
        assert gradient is not None, variable.path
        assert float(ops.max(ops.abs(gradient))) > 0, variable.path


def _check_round_trip(layer, inputs, tmp_path):
    config = json.loads(json.dumps(layer.get_config()))  # as in a file
    copy = type(layer).from_config(config)
    assert json.loads(json.dumps(copy.get_config())) == config
    copy.build(*[array.shape for array in inputs])
    copy.set_weights(layer.get_weights())
    for one, other in zip(_tuple(layer(*inputs, training=False)), _tuple(copy(*inputs, training=False)), strict=True):
        np.testing.assert_array_equal(one, other)
    if isinstance(layer, keras.Model):
        layer.save_weights(tmp_path / 'network.weights.h5')
        third = type(layer).from_config(layer.get_config())
        third.build(*[array.shape for array in inputs])
        third.load_weights(tmp_path / 'network.weights.h5')
        for one, other in zip(layer.get_weights(), third.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def _check_mixed_precision(make, inputs):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy('mixed_bfloat16')
    try:
        layer = make()
        layer.build(*[array.shape for array in inputs])
        for output in _tuple(layer(*inputs, training=True)):
            assert np.isfinite(ops.convert_to_numpy(ops.cast(output, 'float32'))).all()
        assert all(variable.dtype == 'float32' for variable in layer.trainable_variables)
    finally:
        keras.config.set_dtype_policy(before)
