"""Describes the phases of a recipe, their networks and their memory, without training."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import UninitializedVariable

from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.recipe.recipe import Recipe
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import checkpoint_bytes
from stackgan_tf.training.text_encoders import check_width, not_a_text_encoder

# Operations whose outputs take no new memory.
_WITHOUT_MEMORY = {'Const', 'Identity', 'NoOp', 'Placeholder', 'ReadVariableOp', 'Reshape', 'Squeeze', 'ExpandDims'}


def describe(recipe: Recipe) -> str:
    """The resolved recipe, and for each phase its networks with parameter counts and an estimate of memory."""
    run = recipe.run
    lines = [
        recipe.config.rstrip(),
        '',
        f'# {len(run.phases)} phase(s), a report every {run.tick} steps, a checkpoint every {run.checkpoint_every}',
    ]
    models: dict[str, TrainedModel] = {}
    with _without_values():
        for phase in run.phases:
            models[phase.name] = model = phase.make_model()
            if isinstance(phase.text_encoder, str) and phase.text_preset is None:
                encoder = models[phase.text_encoder]
                if not isinstance(encoder, TextMatching):
                    raise not_a_text_encoder(phase)
                check_width(phase, model, encoder.text_encoder.dimension)
            lines += _describe_phase(phase, model)
    return '\n'.join(lines)


@contextlib.contextmanager
def _without_values() -> Iterator[None]:
    """A context in which new variables have shapes but no values: nothing is drawn, and no memory is allocated.

    Operations that read or update them go into a graph that never runs.
    """
    initialize = keras.Variable._initialize_with_initializer

    def leave_uninitialized(variable: keras.Variable, _: object) -> None:
        variable._initialize(UninitializedVariable(variable.trainable, shape=variable.shape, dtype=variable.dtype))

    keras.Variable._initialize_with_initializer = leave_uninitialized
    try:
        with tf.Graph().as_default():
            yield
    finally:
        keras.Variable._initialize_with_initializer = initialize


def _describe_phase(phase: Phase, model: TrainedModel) -> list[str]:
    lines = [f'\nPhase {phase.name}: {phase.steps:,} steps of {model.batch_size} images, {type(model).__name__}']
    for name, network in model.networks().items():
        count = sum(variable.value.shape.num_elements() for variable in network.trainable_variables)
        lines.append(f'  {name:<20} {count:>14,} parameters')
    state = checkpoint_bytes(model)
    passes = activation_bytes(model)
    lines += [
        f'  {"weights and Adam":<20} {_gigabytes(state)}, the size of a checkpoint',
        f'  {"activations":<20} {_gigabytes(passes)}, estimated from the tensors of the forward passes',
        f'  {"memory":<20} {_gigabytes(state + passes)} in all, estimated; several devices share the activations',
    ]
    return lines


def activation_bytes(model: TrainedModel) -> int:
    """Memory of the activations that one forward pass of all networks over a batch keeps for the backward pass."""
    graph = tf.function(model.forward_passes, autograph=False).get_concrete_function().graph
    outputs = [output for op in graph.get_operations() if op.type not in _WITHOUT_MEMORY for output in op.outputs]
    return sum(output.dtype.size * output.shape.num_elements() for output in outputs if output.shape.is_fully_defined())


def _gigabytes(count: int) -> str:
    return f'{count / 2**30:.2f} GB'
