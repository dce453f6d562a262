"""Begins a phase with the weights of a trained model: transfer learning."""

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from stackgan_tf.loading import load_network, phases_of
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.preset_files import PREFIX, open_preset
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import CONFIG
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.phase import Phase

_FITTED = 'whiten'  # the whitening of embeddings, which is fitted to the new captions
_STAGES = {'StageOneGenerator': 'stage_one', 'StageTwoGenerator': 'stage_two'}  # in a `StackedGenerator`
Source = tuple[Mapping[str, Any], Callable[[], keras.Model]]  # a network's description, and what loads it


def load_initial_weights(phase: Phase, model: TrainedModel) -> None:
    """Takes over the weights that `Phase.initial_weights` names, where name and shape match; says which.

    Args:
        phase: at work.
        model: of it, with random weights; the frozen Stage-I of a Stage-II is left alone.

    Raises:
        UserError: the source does not exist, or nothing in it matches.
    """
    if phase.initial_weights is None:
        return
    targets = model.checkpoint_networks()
    if isinstance(model, AdversarialModel):
        targets['generator_ema'] = model.trained_ema
    taken: list[str] = []
    left: list[str] = []
    for name, network in targets.items():
        source = _source_network(phase, name, network)
        count = 0 if source is None else copy_matching(source, network)
        (taken if count else left).append(f'{name} ({count} of {len(network.variables)} variables)' if count else name)
    if not taken:
        raise UserError(
            f'{_setting(phase)} has nothing that fits {type(model).__name__}: leave it out, or name another'
        )
    new = f'; new: {", ".join(left)}' if left else ''
    say(f'{phase.name}: begins with the weights of {phase.initial_weights}: {", ".join(taken)}{new}')


def check_initial_weights(phase: Phase) -> None:
    """Checks that the source of a phase's initial weights exists.

    Raises:
        UserError: it does not.
    """
    if phase.initial_weights is None:
        return
    if phase.initial_weights.startswith(PREFIX):
        open_preset(phase.initial_weights.removeprefix(PREFIX))
    elif not (Path(phase.initial_weights) / CONFIG).is_file():
        raise UserError(f'{_setting(phase)} is neither a run nor preset:NAME')


def _setting(phase: Phase) -> str:
    return f'{phase.name}/Phase.initial_weights = {phase.initial_weights!r}'


def _source_network(phase: Phase, name: str, network: keras.Model) -> keras.Model | None:
    """The trained network of the same name and class that a network begins with; None if the source has none."""
    kind = type(network).__name__
    name = 'generator_ema' if name == 'generator' else name  # the average is the better one
    for description, load in _described(phase, name):
        if description['class'] == kind:
            return load()
        if kind in _STAGES and _STAGES[kind] in description['config']:
            return getattr(load(), _STAGES[kind])
    return None


def _described(phase: Phase, name: str) -> Iterator[Source]:
    """The networks of a name in the source of initial weights, those of later phases first."""
    check_initial_weights(phase)
    source = str(phase.initial_weights)
    if source.startswith(PREFIX):
        preset = open_preset(source.removeprefix(PREFIX))
        if name in preset.networks:
            yield preset.networks[name], functools.partial(preset.network, name)
        return
    for trained in reversed(phases_of(Path(source))):
        checkpoints = Checkpoints(Path(source) / trained / 'checkpoints')
        networks = checkpoints.networks() if checkpoints.steps() else {}
        if name in networks:
            yield networks[name], functools.partial(load_network, Path(source), trained, name)


def copy_matching(source: keras.Model, network: keras.Model) -> int:
    """Copies variables of the same name and shape; returns their number."""
    values, count = named_variables(source), 0
    for name, variable in named_variables(network).items():
        if _FITTED in name.split('/') or name not in values or values[name].shape != variable.shape:
            continue
        variable.assign(np.asarray(values[name]))
        count += 1
    return count


def named_variables(layer: keras.layers.Layer) -> Mapping[str, keras.Variable]:
    """The variables of a network, by the names of the attributes that lead to them, such as `up/0/conv/_kernel`.

    Unlike a variable's path in Keras, such a name does not depend on what a process constructed before.
    """
    if type(layer).__module__.startswith('keras.') and isinstance(layer, keras.Model):  # of keras.applications
        parts = {'layers': layer.layers}
    else:
        parts = vars(layer)
    found: dict[str, keras.Variable] = {}
    for attribute, value in parts.items():
        if isinstance(value, keras.Variable):
            found[attribute] = value
        if attribute.startswith('_'):
            continue
        for index, part in enumerate(value if isinstance(value, list | tuple) else [value]):
            if isinstance(part, keras.layers.Layer):
                where = f'{attribute}/{index}' if isinstance(value, list | tuple) else attribute
                found |= {f'{where}/{name}': variable for name, variable in named_variables(part).items()}
    return found
