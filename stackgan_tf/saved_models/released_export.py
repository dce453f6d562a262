"""Conversion of the released PyTorch and Torch files to exports, and of our networks to the released layout."""

import io
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from stackgan_tf.formats.pytorch import read_state_dict
from stackgan_tf.formats.torch7 import read_t7
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.released.char_cnn_rnn import char_cnn_rnn_of
from stackgan_tf.released.networks import kind_of, network_of, released_weights
from stackgan_tf.saved_models.saved_model import check_target, export_saved_model
from stackgan_tf.saved_models.verification import generator_check
from stackgan_tf.system.atomic_files import whole_folder, write_whole
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder
from stackgan_tf.text.text_encoder import TextEncoder

DISCRIMINATOR = 'discriminator.keras'


def export_checkpoint(source: Path, target: Path, encoder: TextEncoder | None = None) -> str:
    """Exports the network in a released .pth file: a generator as `export_saved_model` does, a discriminator as .keras.

    Args:
        source: the file.
        target: the folder to create.
        encoder: the text encoder of the generator: with it the export reads captions, without it embeddings.

    Returns:
        A description of the export, for people.

    Raises:
        UserError: the file is not a released network or does not fit the encoder, or the folder exists.
    """
    check_target(target)
    network = network_of(read_state_dict(source), str(source))
    parameters = sum(np.prod(variable.shape) for variable in network.trainable_variables)
    what = f'{kind_of(network)} with {parameters:,} parameters'
    embedding_dimension = getattr(network, 'embedding_dimension', 0)  # discriminators have none
    if encoder is not None and encoder.dimension != embedding_dimension:
        reads = f'embeddings of {embedding_dimension} numbers' if embedding_dimension else 'no embeddings'
        raise UserError(f'{source} reads {reads}, the text encoder gives {encoder.dimension} numbers')
    if not hasattr(network, 'sizes'):
        _save_keras(network, target)
        return f'{what}: {DISCRIMINATOR}'
    generator = NetworkGenerator(network, encoder)
    export_saved_model(network, target, encoder, check=generator_check(generator))
    return f'{what}: an export of kind {generator.kind}, {", ".join(map(str, network.sizes))} pixels'


def read_reed_encoder(source: Path) -> CharacterEncoder:
    """Reads Reed's text encoder from a .t7 file.

    Raises:
        UserError: the file does not hold one.
    """
    return CharacterEncoder(char_cnn_rnn_of(read_t7(source), str(source)))


def write_released_weights(networks: Mapping[str, keras.Model], target: Path) -> None:
    """Writes each network as NAME.npz, with the keys and the layout of the released files.

    Args:
        networks: by name.
        target: the folder to create.

    Raises:
        UserError: the release has no such network, or the folder exists.
    """
    check_target(target)
    weights = {name: released_weights(network, name) for name, network in networks.items()}
    for name, arrays in weights.items():
        file = io.BytesIO()
        np.savez(file, **arrays)  # type: ignore[arg-type]
        write_whole(target / f'{name}.npz', file.getvalue())


def _save_keras(network: keras.Model, target: Path) -> None:
    """Writes a network as a .keras file, in a folder that appears only when it is complete."""
    with whole_folder(target) as scratch:
        network.save(scratch / DISCRIMINATOR)
