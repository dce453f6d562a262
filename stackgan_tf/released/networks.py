"""Conversion of a released weights file to a network, and back."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from stackgan_tf.networks.descriptions import start_with
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_discriminator import StageDiscriminator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.released import stackgan_v1, stackgan_v2
from stackgan_tf.released.layout import COUNTERS, PREFIX, ReleasedWeight
from stackgan_tf.released.shapes import Shapes, UnknownNetworkError
from stackgan_tf.system.errors import UserError

_MOST_NAMED = 120  # keys in a message; released networks have at most 107


class _Kind(NamedTuple):
    name: str
    mark: str  # a key that this kind has, and the kinds after it do not
    network: type[keras.Model]
    make: Callable[[Shapes], Any]
    weights: Callable[[Any], Iterator[ReleasedWeight]]
    check: Callable[[Any], None]  # raises for networks of ours without a released form
    prefix: str  # of keys in the released files


_KINDS = (
    _Kind(
        'generator of StackGAN-v2', 'h_net1.fc.0.weight', TreeGenerator,
        stackgan_v2.make_tree, stackgan_v2.tree_weights, stackgan_v2.check_tree, PREFIX,
    ),
    _Kind(
        'discriminator of StackGAN-v2', 'img_code_s16.0.weight', ScaleDiscriminator,
        stackgan_v2.make_discriminator, stackgan_v2.discriminator_weights, stackgan_v2.check_discriminator, PREFIX,
    ),
    _Kind(
        'Stage-II generator of StackGAN-v1', 'encoder.0.weight', StackedGenerator,
        stackgan_v1.make_stacked, stackgan_v1.stacked_weights, stackgan_v1.check_stacked, '',
    ),
    _Kind(
        'Stage-I generator of StackGAN-v1', 'fc.0.weight', StageOneGenerator,
        stackgan_v1.make_stage_one, stackgan_v1.stage_one_weights, stackgan_v1.check_stage_one, '',
    ),
    _Kind(
        'discriminator of StackGAN-v1', 'encode_img.0.weight', StageDiscriminator,
        stackgan_v1.make_discriminator, stackgan_v1.discriminator_weights, stackgan_v1.check_discriminator, '',
    ),
)  # fmt: skip


def kind_of(network: keras.Model) -> str:
    """The name of a network in the release, for messages."""
    return next(kind.name for kind in _KINDS if isinstance(network, kind.network))


def network_of(weights: Mapping[str, np.ndarray], source: str) -> keras.Model:
    """Builds the network of released weights, with these weights; its settings follow from the keys and shapes.

    Args:
        weights: arrays by the keys of the released files, in PyTorch's layout.
        source: name of the weights in errors.

    Raises:
        UserError: the weights fit no network of the release, or are incomplete; the line names every wrong key and
            shape.
    """
    weights = _plain(weights)
    kind = next((kind for kind in _KINDS if kind.mark in weights), None)
    if kind is None:
        raise UserError(f'{source} holds none of the released networks of StackGAN: its weights are {_named(weights)}')
    try:
        network, wanted, mistakes = _build(kind, weights)
    except (UnknownNetworkError, ValueError) as error:
        raise UserError(f'{source} is not a {kind.name} as released: {error}') from error
    if mistakes:
        raise UserError(f'{source} is not a {kind.name} as released: {"; ".join(mistakes)}')
    for weight in wanted:  # another version of Keras may have initialized them differently
        if not np.array_equal(weight.value(), weights[weight.key]):
            weight.assign(weights[weight.key])
    return network


def _build(kind: _Kind, weights: Mapping[str, np.ndarray]) -> tuple[keras.Model, list[ReleasedWeight], list[str]]:
    """The network, its weights, and the mistakes in those of the file.

    Inside the scope variables are not initialized until its end. Their initial values are those of the file; orthogonal
    kernels before that would take seconds and 200 MB. With mistakes nothing is allocated.
    """
    with keras.StatelessScope():
        network = kind.make(Shapes(weights))
        is_generator = hasattr(network, 'noise_dimension')
        network.build((None, network.noise_dimension) if is_generator else (None, network.size, network.size, 3))
        wanted = list(kind.weights(network))
        mistakes = list(_mistakes(weights, wanted))
        for weight in wanted:
            value = None if mistakes else functools.partial(weight.layout.to_ours, weights[weight.key])
            start_with(weight.variable, value)
    return network, wanted, mistakes


def released_weights(network: keras.Model, source: str) -> dict[str, np.ndarray]:
    """The inverse of `network_of`: weights under the keys of the released files, laid out as PyTorch does.

    There are no counters of batch normalization: PyTorch creates missing ones.

    Args:
        network: a built network.
        source: its name in errors.

    Raises:
        UserError: the release has no such network.
    """
    kind = next((kind for kind in _KINDS if isinstance(network, kind.network)), None)
    if kind is None:
        raise UserError(f'{source} has no counterpart in the PyTorch releases: it is a {type(network).__name__}')
    try:
        kind.check(network)
    except UnknownNetworkError as error:
        raise UserError(f'{source} has no counterpart in the PyTorch releases: {error}') from error
    return {kind.prefix + weight.key: np.ascontiguousarray(weight.value()) for weight in kind.weights(network)}


def _plain(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Removes the prefix, which all keys have or none, and the counters."""
    prefix = PREFIX if all(key.startswith(PREFIX) for key in weights) else ''
    return {key.removeprefix(prefix): value for key, value in weights.items() if not key.endswith(COUNTERS)}


def _mistakes(weights: Mapping[str, np.ndarray], wanted: list[ReleasedWeight]) -> Iterator[str]:
    shapes = {weight.key: weight.shape() for weight in wanted}
    missing = [key for key in shapes if key not in weights]
    if missing:
        yield f'it lacks {_named(missing)}'
    unexpected = [key for key in weights if key not in shapes]
    if unexpected:
        yield f'it also has {_named(unexpected)}'
    wrong = [key for key in shapes if key in weights and weights[key].shape != shapes[key]]
    if wrong:
        yield ', '.join(f'{key} is {weights[key].shape} and not {shapes[key]}' for key in wrong)


def _named(keys: Mapping[str, Any] | list[str]) -> str:
    names = [key if key.isprintable() else ascii(key) for key in list(keys)[:_MOST_NAMED]]
    more = f' and {len(keys) - _MOST_NAMED} more' if len(keys) > _MOST_NAMED else ''
    return ', '.join(key[:80] for key in names) + more if keys else 'none'
