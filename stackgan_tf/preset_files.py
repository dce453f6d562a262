"""Presets: small trained models that come with the package, in files that run no code.

A preset is a folder in `stackgan_tf/presets`: `preset.json` describes its networks and how they were trained,
`weights.npz` holds their weights, and `README.md` is its model card. Weights are in float16, except those of the text
encoder and of the whitening of its embeddings, which multiplies their errors by several hundred, and those of
generators that need more precision.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from stackgan_tf.networks.char_cnn_rnn import CharCNNRNN
from stackgan_tf.networks.descriptions import build_network, describe_network
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

PREFIX = 'preset:'  # of a source that names a preset
DEFAULT = 'painted_birds'
_FOLDER = Path(__file__).parent / 'presets'
_DESCRIPTION = 'preset.json'
_WEIGHTS = 'weights.npz'


@dataclasses.dataclass(frozen=True)
class Preset:
    """A preset, read.

    Attributes:
        name: of its folder.
        networks: the descriptions of its networks, by name: `generator_ema`, `text_encoder`, `image_encoder` and
            `discriminator_64`, ...
        facts: how it was trained: `condition_source`, `recipe`, `commit`, and the fields of a model card's `Origin`.
        folder: of its files.
    """

    name: str
    networks: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Any]
    folder: Path

    def values(self, network: str) -> list[np.ndarray]:
        """The weights of a network in the order of its variables, float32."""
        with np.load(self.folder / _WEIGHTS, allow_pickle=False) as weights:
            names = sorted(name for name in weights.files if name.startswith(f'{network}/'))
            return [weights[name].astype(np.float32) for name in names]

    def network(self, name: str) -> keras.Model:
        """A network with its weights."""
        return build_network(self.networks[name], self.values(name))


def presets() -> tuple[str, ...]:
    """The names of the presets."""
    return tuple(sorted(folder.parent.name for folder in _FOLDER.glob(f'*/{_DESCRIPTION}')))


def source_or_default(source: str | None) -> str:
    """The source of a command's `--model`; without one the default preset, and a line that says so."""
    if source is not None:
        return source
    open_preset(DEFAULT)
    say(f'Model: the preset {DEFAULT}, which comes with the package; --model=... names another.')
    return PREFIX + DEFAULT


def open_preset(name: str) -> Preset:
    """Opens a preset by its name.

    Raises:
        UserError: there is no such preset.
    """
    if name not in presets():
        known = f'there are {", ".join(presets())}' if presets() else 'this installation has none'
        raise UserError(f'there is no preset {name!r}: {known}')
    return read_preset(_FOLDER / name)


def read_preset(folder: Path) -> Preset:
    """Reads a preset from its folder."""
    described = json.loads((folder / _DESCRIPTION).read_text(encoding='utf-8'))
    return Preset(folder.name, described['networks'], described['facts'], folder)


def write_preset(
    folder: Path, networks: Mapping[str, keras.Model], facts: Mapping[str, Any], in_float32: Sequence[str] = ()
) -> None:
    """Writes the files of a preset but its model card into a folder.

    Args:
        folder: to create.
        networks: by name.
        facts: see `Preset`.
        in_float32: the names of networks whose weights stay in float32 altogether.

    Raises:
        UserError: a weight does not fit in float16.
    """
    limit = float(np.finfo(np.float16).max)
    weights: dict[str, np.ndarray] = {}
    for name, network in networks.items():
        exact = {id(variable) for variable in (network.variables if name in in_float32 else _exact(network))}
        for number, variable in enumerate(network.variables):
            value, key = variable.numpy(), f'{name}/{number:04d}'
            if not np.all(np.abs(value) <= limit):
                raise UserError(f'{key} has weights beyond {limit:g}, the most that float16 holds')
            weights[key] = value if id(variable) in exact else value.astype(np.float16)
    described = {
        'networks': {name: describe_network(network) for name, network in networks.items()},
        'facts': dict(facts),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _DESCRIPTION).write_text(json.dumps(described, indent=1) + '\n', encoding='utf-8')
    np.savez_compressed(folder / _WEIGHTS, **weights)  # type: ignore[arg-type]  # numpy's annotation takes them for a flag


def _exact(network: keras.Model) -> Sequence[keras.Variable]:
    """The variables that stay in float32."""
    if isinstance(network, CharCNNRNN):
        return network.variables
    whiten = getattr(network, 'whiten', None)
    return whiten.variables if whiten is not None else ()
