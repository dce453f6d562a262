"""Networks as data: class and configuration, from which a network is built again, directly with its weights."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from stackgan_tf.networks.attribute_classifier import AttributeClassifierNetwork
from stackgan_tf.networks.channel_classifier import ChannelClassifierNetwork
from stackgan_tf.networks.char_cnn_rnn import CharCNNRNN
from stackgan_tf.networks.class_classifier import ClassClassifierNetwork
from stackgan_tf.networks.image_encoder import BackboneEncoder, ImageEncoder
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_discriminator import StageDiscriminator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator

# The classes that a description may name. A file can ask for nothing else.
NETWORKS: dict[str, type[keras.Model]] = {
    network.__name__: network
    for network in (
        AttributeClassifierNetwork,
        BackboneEncoder,
        ChannelClassifierNetwork,
        CharCNNRNN,
        ClassClassifierNetwork,
        ImageEncoder,
        ScaleDiscriminator,
        StackedGenerator,
        StageDiscriminator,
        StageOneGenerator,
        StageTwoGenerator,
        TreeGenerator,
    )
}
_OF_KERAS = ('name', 'trainable', 'dtype')  # configuration of every Keras model, which says nothing of the network


def describe_network(network: keras.Model) -> dict[str, Any]:
    """The class and the constructor's arguments of a network of `NETWORKS`, as JSON."""
    if isinstance(network, StackedGenerator):
        config = {name: describe_network(getattr(network, name)) for name in ('stage_one', 'stage_two')}
    else:
        config = {name: value for name, value in network.get_config().items() if name not in _OF_KERAS}
    return {'class': type(network).__name__, 'config': config}


def network_of(description: Mapping[str, Any]) -> keras.Model:
    """The network that a description names, not built; it runs on one device.

    Raises:
        ValueError: the description names no network of this package, or arguments that it does not take.
    """
    try:
        network, config = NETWORKS[description['class']], dict(description['config'])
        if network is StackedGenerator:
            return StackedGenerator(**{name: network_of(stage) for name, stage in config.items()})
        if 'synchronized' in config:
            config['synchronized'] = False
        return network(**config)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'no network of this package: {type(error).__name__}: {error}') from error


def build_network(description: Mapping[str, Any], values: Sequence[np.ndarray]) -> keras.Model:
    """Builds a described network with given weights.

    Variables begin as these values: initial values that are then overwritten would cost seconds and memory.

    Args:
        description: made by `describe_network`.
        values: of all variables, in their order.

    Raises:
        ValueError: the description is not one, or the values are of another network; then nothing is allocated.
    """
    # Inside this scope variables wait for their first values until its end.
    with keras.StatelessScope():
        network = network_of(description)
        network.build(_input_shape(network))
        fits = [tuple(variable.shape) for variable in network.variables] == [value.shape for value in values]
        for number, variable in enumerate(network.variables):
            start_with(variable, functools.partial(values.__getitem__, number) if fits else None)
    if not fits:
        raise ValueError('the weights are of another network than the description')
    return network


def _input_shape(network: keras.Model) -> tuple[int | None, ...]:
    if isinstance(network, CharCNNRNN):
        return None, network.length
    if isinstance(network, StageTwoGenerator):
        return None, network.stage_one_size, network.stage_one_size, 3
    if hasattr(network, 'noise_dimension'):
        return None, network.noise_dimension
    return None, network.size, network.size, 3


def start_with(variable: keras.Variable, value: Callable[[], np.ndarray] | None) -> None:
    """Sets what a variable that was created inside a `keras.StatelessScope` begins with at the scope's end.

    Args:
        variable: not initialized yet.
        value: gives its first value then; None: an empty one, for a network that is thrown away.
    """
    variable._initializer = functools.partial(_first_value, value)


def _first_value(value: Callable[[], np.ndarray] | None, _: Any, dtype: str) -> np.ndarray:
    return np.zeros(0, dtype) if value is None else value().astype(dtype)
