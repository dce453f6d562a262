"""Begins a phase with the weights of a trained model: transfer learning."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from stackgan_tf.loading import load_network, phases_of
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.preset_files import PREFIX, open_preset
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.phase import Phase

# The whitening of embeddings is fitted to the new captions.
_FITTED = 'whiten/'


def load_initial_weights(phase: Phase, model: TrainedModel) -> None:
    """Takes over the weights that `Phase.initial_weights` names, where name and shape match; says which.

    Args:
        phase: at work.
        model: of it, with random weights.

    Raises:
        UserError: the source does not exist, or nothing in it matches.
    """
    if phase.initial_weights is None:
        return
    setting = f'{phase.name}/Phase.initial_weights = {phase.initial_weights!r}'
    taken: list[str] = []
    left: list[str] = []
    for name, network in model.checkpoint_networks().items():
        source = _source_network(phase.initial_weights, name, setting)
        count = 0 if source is None else copy_matching(source, network)
        (taken if count else left).append(f'{name} ({count} of {len(network.variables)} variables)' if count else name)
    if not taken:
        raise UserError(f'{setting} has nothing that fits {type(model).__name__}: leave it out, or name another')
    new = f'; new: {", ".join(left)}' if left else ''
    say(f'{phase.name}: begins with the weights of {phase.initial_weights}: {", ".join(taken)}{new}')


def _source_network(source: str, name: str, setting: str) -> keras.Model | None:
    """The network of a preset or a run that another one of this name begins with; None if it has none."""
    name = 'generator_ema' if name == 'generator' else name  # presets hold the average alone
    if source.startswith(PREFIX):
        preset = open_preset(source.removeprefix(PREFIX))
        return preset.network(name) if name in preset.networks else None
    run = Path(source)
    if not run.is_dir():
        raise UserError(f'{setting}: there is no such run, and presets are named as preset:NAME')
    for phase in reversed(phases_of(run)):
        checkpoints = Checkpoints(run / phase / 'checkpoints')
        if checkpoints.steps() and name in checkpoints.networks():
            return load_network(run, phase, name)
    return None


def copy_matching(source: keras.Model, network: keras.Model) -> int:
    """Copies variables of the same name and shape; returns their number."""
    values, count = named_variables(source), 0
    for name, variable in named_variables(network).items():
        if name.startswith(_FITTED) or name not in values or values[name].shape != variable.shape:
            continue
        variable.assign(np.asarray(values[name]))
        count += 1
    return count


def named_variables(layer: keras.layers.Layer) -> Mapping[str, keras.Variable]:
    """The variables of a network, by the names of the attributes that lead to them, such as `up/0/conv/_kernel`.

    Unlike a variable's path in Keras, such a name does not depend on what a process constructed before.
    """
    found: dict[str, keras.Variable] = {}
    for attribute, value in vars(layer).items():
        if isinstance(value, keras.Variable):
            found[attribute] = value
        if attribute.startswith('_'):
            continue
        for index, part in enumerate(value if isinstance(value, list | tuple) else [value]):
            if isinstance(part, keras.layers.Layer):
                where = f'{attribute}/{index}' if isinstance(value, list | tuple) else attribute
                found |= {f'{where}/{name}': variable for name, variable in named_variables(part).items()}
    return found
