"""Loads the Stage-I of a Stage-II phase: from an earlier phase, another run or an export."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from stackgan_tf.formats.hub_module import load_hub_module
from stackgan_tf.models.stackgan_v1 import StageII
from stackgan_tf.models.trained_model import TrainedModel, variables_of
from stackgan_tf.networks.descriptions import describe_network
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.phase import Phase

_GENERATOR = 'generator_ema'


def load_stage_one(
    phase: Phase, model: TrainedModel, phases: Sequence[Phase], directory: Path, embeddings: str | None
) -> None:
    """Loads into a Stage-II the Stage-I that `Phase.stage_one_weights` names; does nothing to other models.

    Args:
        phase: at work.
        model: of it.
        phases: of the run.
        directory: of the run.
        embeddings: the fingerprint of the phase's embeddings, if it has any.

    Raises:
        UserError: there are no weights yet, or they do not fit.
    """
    if not isinstance(model, StageII):
        return
    setting, named = f'{phase.name}/Phase.stage_one_weights', phase.stage_one_weights
    if named is None:
        raise UserError(
            f'{phase.name} refines the images of a Stage-I: set {setting}, for example to the phase before it'
        )
    setting = f'{setting} = {named!r}'
    if named in [each.name for each in phases]:
        if not Checkpoints(directory / named / 'checkpoints').steps():
            raise UserError(f'{setting}: that phase has trained nothing yet')
        _restore(directory / named, model.stage_one, setting, embeddings)
    elif folders := _generators_in(Path(named)):
        if len(folders) > 1:
            raise UserError(f'{setting} has several generators: name {" or ".join(map(str, folders))}')
        _restore(folders[0], model.stage_one, setting, embeddings)
    elif '://' in named or Path(named).exists():
        _take_export(named, model.stage_one, setting)
    else:
        names = ', '.join(each.name for each in phases)
        raise UserError(f'{setting} is not a phase of this run ({names}), and there is no such folder')


def check_fit(network: keras.Model, shapes: Sequence[tuple[int, ...]], where: str) -> None:
    """Refuses weights of other shapes.

    Args:
        network: the Stage-I that they are loaded into.
        shapes: of the weights, in the order of its variables.
        where: their source, for the message.

    Raises:
        UserError: they do not fit; names what differs, as far as shapes show it.
    """
    expected = [tuple(variable.shape) for variable in variables_of(network)]
    if list(shapes) == expected:
        return
    there, here = _features_of(shapes), _features_of(expected)
    differing = [f'{name} {there.get(name)} there, {here[name]} here' for name in here if there.get(name) != here[name]]
    what = '; '.join(differing) or 'some layers are of other shapes'
    raise UserError(f'{where} differs from StageI here: {what}: set StageI as it was trained')


def _features_of(shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """The settings of a Stage-I that the shapes of its variables show."""
    dense = [shape for shape in shapes if len(shape) == 2]
    kernels = [shape for shape in shapes if len(shape) == 4]
    features = {'embedding_dimension': dense[0][0] if len(dense) > 1 else 0}
    if kernels:
        features['convolutions (size, residual)'] = len(kernels)
        features['channels before the image (generator_width)'] = kernels[-1][2]
    if dense:
        features['numbers in the first layer (noise_dimension + condition_dimension)'] = dense[-1][0]
    return features


def _generators_in(folder: Path) -> list[Path]:
    """The folders of phases with a trained generator: this folder, or those in it."""
    phases = [folder, *sorted(path.parent for path in folder.glob('*/checkpoints'))]
    return [phase for phase in phases if _shapes(phase)]


def _shapes(phase: Path) -> list[tuple[int, ...]]:
    """The shapes of a phase's averaged generator; none if it has no such network or no checkpoint."""
    checkpoints = Checkpoints(phase / 'checkpoints')
    return checkpoints.shapes(_GENERATOR) if checkpoints.steps() else []


def _restore(phase: Path, network: keras.Model, setting: str, embeddings: str | None) -> None:
    checkpoints = Checkpoints(phase / 'checkpoints')
    there, here = checkpoints.networks().get(_GENERATOR, {}), describe_network(network)
    _check_description(there, here, setting)
    check_fit(network, _shapes(phase), setting)
    if (trained_on := checkpoints.progress().get('embeddings', embeddings)) != embeddings:
        raise UserError(
            f'{setting} was trained on the embeddings {trained_on}, here they are {embeddings}: use the same '
            'text encoder'
        )
    checkpoints.restore_networks({_GENERATOR: variables_of(network)})


def _check_description(there: dict[str, Any], here: dict[str, Any], setting: str) -> None:
    """Refuses a network of another class or configuration; replicas may differ.

    Raises:
        UserError: names what differs.
    """
    if there.get('class') != here['class']:
        raise UserError(
            f'{setting} is not a Stage-I: it trains a {there.get("class", "network that it does not name")}'
        )
    here = json.loads(json.dumps(here))  # as in the file
    differing = [
        f'{name} {there["config"].get(name)} there, {value} here'
        for name, value in here['config'].items()
        if name != 'synchronized' and there['config'].get(name) != value
    ]
    if differing:
        raise UserError(f'{setting} differs from StageI here: {"; ".join(differing)}: set StageI as it was trained')


def _take_export(source: str, network: keras.Model, setting: str) -> None:
    values: Sequence[tf.Variable] = getattr(load_hub_module(source)[0], 'variables', ())
    check_fit(network, [tuple(value.shape) for value in values], setting)
    for variable, value in zip(variables_of(network), values, strict=True):
        variable.assign(value)
