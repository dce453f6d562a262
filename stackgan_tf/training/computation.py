"""How a run computes its steps. Weights, averages, losses and checkpoints are float32 in every precision."""

import contextlib
import math
from collections.abc import Iterator

import keras
import tensorflow as tf

from stackgan_tf.models.trained_model import TrainedModel

# `mixed_...` are Keras's policies: layers compute in the type. In the last, layers are float32, and TensorFlow's graph
# rewriter gives convolutions and products to oneDNN in bfloat16, and what is between them where that is safe.
PRECISIONS = ('float32', 'mixed_bfloat16', 'mixed_float16', 'onednn_bfloat16')

_REWRITER = 'auto_mixed_precision_onednn_bfloat16'


@contextlib.contextmanager
def layers_in(precision: str) -> Iterator[None]:
    """Layers that are made inside compute in this precision, whenever they are called."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision.startswith('mixed') else 'float32')
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def graphs_in(precision: str) -> Iterator[None]:
    """Graphs that are called inside are rewritten for this precision, if the graph rewriter implements it."""
    before = tf.config.optimizer.get_experimental_options().get(_REWRITER, False)
    tf.config.optimizer.set_experimental_options({_REWRITER: precision == 'onednn_bfloat16'})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_REWRITER: before})


def prepare_steps(model: TrainedModel, precision: str, jit_compile: bool, at_once: int, length: int) -> None:
    """Makes the training function that `fit` calls.

    Args:
        model: made in `layers_in` the precision.
        precision: one of `PRECISIONS`. No other graphs are rewritten: those of samples and scores come between steps.
        jit_compile: whether XLA compiles a step.
        at_once: steps that run without returning to Python.
        length: steps of a tick, after which it must return; where `at_once` does not divide it, fewer steps run.
    """
    steps = math.gcd(at_once, length)
    if model.train_function is not None and steps == model.steps_per_execution:
        return
    model.steps_per_execution = steps
    model.jit_compile = jit_compile
    step = model.make_train_function(force=True)

    def in_precision(iterator: tf.data.Iterator) -> dict[str, tf.Tensor]:
        with graphs_in(precision):
            return step(iterator)

    model.train_function = in_precision
