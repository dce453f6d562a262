"""Loads a finished model from a run, an export, a preset or TF Hub; none of them needs its recipe or its data."""

import dataclasses
from pathlib import Path
from typing import Any

import keras

from stackgan_tf.generator import Generator, NetworkGenerator
from stackgan_tf.networks.descriptions import build_network
from stackgan_tf.preset_files import PREFIX, Preset, open_preset
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import CONFIG
from stackgan_tf.saved_generator import load_saved_model
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder
from stackgan_tf.text.clip_encoder import CLIP_PREFIX, ClipEncoder
from stackgan_tf.text.saved_encoder import SavedEncoder
from stackgan_tf.text.text_encoder import TextEncoder


@dataclasses.dataclass(frozen=True)
class TrainedClassifier:
    """A classifier that a run trained.

    Attributes:
        network: built, with its weights.
        attributes: their names, of a classifier of attributes; empty for a classifier of classes.
        image_size: of the images that it was trained on, pixels.
    """

    network: keras.Model
    attributes: tuple[str, ...]
    image_size: int


Trained = NetworkGenerator | TextEncoder | TrainedClassifier


def load(source: str | Path, checkpoint: str = 'newest') -> Generator:
    """Loads a model to generate with.

    Args:
        source: a run directory (its averaged generator), the folder or `.tar.gz` file of an exported model,
            `preset:NAME`, or a TF Hub handle.
        checkpoint: of a run: `newest`, `best` (where its recipe scores it) or a step.

    Raises:
        UserError: there is no model, or no such checkpoint: an export has none.
    """
    if str(source).startswith(PREFIX):
        check_newest(source, checkpoint)
        return from_preset(str(source).removeprefix(PREFIX))
    if not _is_run(source):
        check_newest(source, checkpoint)
        return load_saved_model(str(source))
    model = load_phase(Path(source), checkpoint=checkpoint)
    if not isinstance(model, Generator):
        raise UserError(f'{source} trains no generator: name a run whose last phase does')
    return model


def from_preset(name: str) -> NetworkGenerator:
    """Loads a small trained model that comes with the package; `presets()` lists them.

    Raises:
        UserError: there is no such preset.
    """
    return generator_of_preset(open_preset(name))


def generator_of_preset(preset: Preset) -> NetworkGenerator:
    """The generator of a preset, with its text encoder."""
    encoder = _preset_encoder(preset) if 'text_encoder' in preset.networks else None
    class_names = preset.facts.get('condition_source', {}).get('class_names', ())
    generator = NetworkGenerator(preset.network('generator_ema'), encoder, class_names)
    generator.title = f'preset {preset.name}'
    return generator


def _preset_encoder(preset: Preset) -> CharacterEncoder:
    return CharacterEncoder(preset.network('text_encoder'), preset.network('image_encoder'))


def check_newest(source: str | Path, checkpoint: str) -> None:
    """Checks that no checkpoint is named of something that has none.

    Raises:
        UserError: one is named.
    """
    if checkpoint != 'newest':
        raise UserError(f'{source} is not a run, so it has no checkpoint {checkpoint!r}: leave out --checkpoint')


def load_text_encoder(source: str | Path, images: bool = True) -> TextEncoder:
    """Loads an encoder from captions to embeddings.

    Args:
        source: a run directory (the first of its phases that trains a text encoder), `preset:NAME`, `clip:PRESET` (a
            CLIP of keras-hub, or a folder), or the folder or TF Hub handle of a SavedModel that maps strings to
            vectors.
        images: whether CLIP's image tower is loaded too; others keep theirs.

    Raises:
        UserError: there is none.
    """
    if str(source).startswith(PREFIX):
        return _preset_encoder(open_preset(str(source).removeprefix(PREFIX)))
    if str(source).startswith(CLIP_PREFIX):
        return ClipEncoder(str(source).removeprefix(CLIP_PREFIX), images)
    if not _is_run(source):
        return SavedEncoder(str(source))
    run = Path(source)
    for name in phases_of(run):
        checkpoints = _checkpoints(run, name)
        if checkpoints.steps() and 'text_encoder' in checkpoints.networks():
            return _text_encoder(checkpoints)
    raise UserError(f'{source} trains no text encoder: none of its phases is of TextMatching')


def load_phase(run: Path, name: str | None = None, checkpoint: str = 'newest') -> Trained:
    """Loads what a phase of a run trained: an averaged generator, a text encoder, or a classifier.

    Args:
        run: its directory.
        name: of the phase; by default the last.
        checkpoint: see `Checkpoints.find`.

    Raises:
        UserError: the directory is not a run, has no such phase, or no checkpoint of it yet.
    """
    name = _checked_phase(run, name)
    checkpoints = _checkpoints(run, name)
    networks = checkpoints.networks(checkpoint)
    if 'text_encoder' in networks:
        return _text_encoder(checkpoints, checkpoint)
    progress = checkpoints.progress(checkpoint)
    if 'network' in networks:
        network = _network(checkpoints, 'network', checkpoint)
        return TrainedClassifier(network, tuple(progress.get('attributes', ())), progress['image_size'])
    source = progress.get('condition_source', {})
    encoder = _encoder_of(run, source, progress.get('embeddings'))
    generator = NetworkGenerator(
        _network(checkpoints, 'generator_ema', checkpoint), encoder, source.get('class_names', ())
    )
    generator.embedding_scale = tuple(progress.get('embedding_scale') or generator.embedding_scale)
    generator.trained = (name, progress['step'])
    generator.title = f'averaged generator of {run / name} after {progress["step"]:,} steps'
    return generator


def load_adversaries(source: str | Path, name: str | None = None) -> tuple[keras.Model, list[keras.Model]]:
    """Loads an averaged generator and its discriminators, small to large.

    Args:
        source: a run directory, at its newest checkpoint, or `preset:NAME`.
        name: of the phase of a run; by default the last.

    Raises:
        UserError: the source is neither, has no such phase, it trains no generator, or has no checkpoint yet.
    """
    if str(source).startswith(PREFIX):
        preset = open_preset(str(source).removeprefix(PREFIX))
        networks = [network for network in preset.networks if network.startswith('discriminator_')]
        return preset.network('generator_ema'), [preset.network(network) for network in networks]
    run = Path(source)
    name = _checked_phase(run, name)
    checkpoints = _checkpoints(run, name)
    networks = [network for network in checkpoints.networks() if network.startswith('discriminator_')]
    if not networks:
        raise UserError(f'phase {name!r} of {run} trains no generator')
    return _network(checkpoints, 'generator_ema'), [_network(checkpoints, network) for network in networks]


def load_network(run: Path, phase: str, network: str) -> keras.Model:
    """Loads a network of a phase by its name in checkpoints, such as `text_encoder` or `generator_ema`.

    Raises:
        UserError: the directory is not a run, has no such phase, or its newest checkpoint no such network.
    """
    return _network(_checkpoints(run, _checked_phase(run, phase)), network)


def training_of(run: Path, name: str | None = None, checkpoint: str = 'newest') -> tuple[str, dict[str, Any]]:
    """The class of a phase's model, and the progress in its checkpoint.

    Args:
        run: its directory.
        name: of the phase; by default the last.
        checkpoint: see `Checkpoints.find`.

    Raises:
        UserError: the directory is not a run, has no such phase, or no checkpoint of it yet.
    """
    progress = _checkpoints(run, _checked_phase(run, name)).progress(checkpoint)
    return progress['model'], progress


def phases_of(run: Path) -> list[str]:
    """The names of a run's phases, in their order.

    Raises:
        UserError: the directory is not a run, or has no checkpoint yet.
    """
    if not (run / CONFIG).is_file():
        raise UserError(f'{run} is no run: it has no {CONFIG}')
    for folder in sorted(run.glob('*/checkpoints')):
        checkpoints = Checkpoints(folder)
        if checkpoints.steps() and checkpoints.newest() is not None:
            return checkpoints.progress()['phases']
    raise UserError(f'{run} holds no checkpoint yet: train first')


def _checked_phase(run: Path, name: str | None) -> str:
    """The name of a phase of a run, by default the last.

    Raises:
        UserError: there is none.
    """
    phases = phases_of(run)
    if name is not None and name not in phases:
        raise UserError(f'{run} has no phase {name!r}: it has {", ".join(phases)}')
    return name if name is not None else phases[-1]


def _checkpoints(run: Path, phase: str) -> Checkpoints:
    return Checkpoints(run / phase / 'checkpoints')


def _network(checkpoints: Checkpoints, name: str, which: str = 'newest') -> keras.Model:
    """A network of a checkpoint.

    Raises:
        UserError: the checkpoint does not describe one of this package.
    """
    try:
        return build_network(checkpoints.networks(which)[name], checkpoints.values(name, which))
    except UserError:
        raise
    except (KeyError, ValueError) as error:
        folder = checkpoints.path(checkpoints.find(which))
        raise UserError(
            f'{folder} holds no {name} that this version can build ({error}): export it with the version '
            'that trained it'
        ) from error


def _text_encoder(checkpoints: Checkpoints, which: str = 'newest') -> CharacterEncoder:
    return CharacterEncoder(*(_network(checkpoints, name, which) for name in ('text_encoder', 'image_encoder')))


def _encoder_of(run: Path, source: dict[str, Any], fingerprint: str | None) -> TextEncoder | None:
    """The text encoder that a phase was trained with, if an earlier phase, a preset, keras-hub or TF Hub has it.

    Raises:
        UserError: it cannot be loaded, or has changed since.
    """
    if 'phase' in source:
        where = str(run / source['phase'])
        encoder = load_phase(run, source['phase'])
        assert isinstance(encoder, TextEncoder)
    elif 'text_encoder' in source:
        where, encoder = source['text_encoder'], load_text_encoder(source['text_encoder'], images=False)
    else:
        return None
    if encoder.fingerprint != fingerprint:
        raise UserError(f'{run} was trained with another text encoder than the one that is in {where} now')
    return encoder


def _is_run(source: str | Path) -> bool:
    """Whether a source is a run directory; otherwise it should be a SavedModel or a handle.

    Raises:
        UserError: it is none of these.
    """
    path = Path(source)
    if (path / CONFIG).is_file():
        return True
    if path.is_dir() and not (path / 'saved_model.pb').is_file():
        raise UserError(f'{path} holds no model: name a run directory or an exported model')
    if not path.exists() and '://' not in str(source):
        raise UserError(f'there is no {path}: name a run directory, an exported model or a TF Hub handle')
    return False
