"""Opens a finished model, wherever it is."""

from pathlib import Path
from typing import Any

import keras

from stackgan_tf.evaluation.attribute_reader import AttributeReader, ClassReader
from stackgan_tf.generator import Generator, NetworkGenerator, load_saved_model
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.models.classifier import Classifier
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.models.trained_model import variables_of
from stackgan_tf.recipe.recipe import read_run
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import CONFIG
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.saved_encoder import SavedEncoder
from stackgan_tf.text.text_encoder import TextEncoder
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.text_encoders import trained_text_encoder


def load(source: str | Path, checkpoint: str = 'newest') -> Generator:
    """Loads a model to generate with.

    Args:
        source: a run directory (its averaged generator), the folder of an exported model, or a TF Hub handle.
        checkpoint: of a run: `newest`, `best` (where its recipe scores it) or a step.

    Raises:
        UserError: there is no model.
    """
    if not _is_run(source):
        return load_saved_model(str(source))
    model = load_phase(Path(source), checkpoint=checkpoint)
    if not isinstance(model, Generator):
        raise UserError(f'{source} trains no generator: name a run whose last phase does')
    return model


def load_text_encoder(source: str | Path) -> TextEncoder:
    """Loads what turns captions into embeddings.

    Args:
        source: a run directory (the first of its phases that trains a text encoder), or the folder or TF Hub handle of
            a SavedModel that maps strings to vectors.

    Raises:
        UserError: there is none.
    """
    if not _is_run(source):
        return SavedEncoder(str(source))
    for phase in read_run(Path(source)).run.phases:
        model = phase.make_model()
        if isinstance(model, TextMatching):
            return trained_text_encoder(Path(source) / phase.name, model)
    raise UserError(f'{source} trains no text encoder: none of its phases is of TextMatching')


Trained = NetworkGenerator | TextEncoder | AttributeReader | ClassReader


def load_phase(directory: Path, name: str | None = None, checkpoint: str = 'newest') -> Trained:
    """What a phase of a run trained: an averaged generator, a text encoder, or a classifier.

    Args:
        directory: of the run.
        name: of the phase; by default the last.
        checkpoint: of a generator; see `Checkpoints.find`. Others are taken at the newest.

    Raises:
        UserError: the directory is no run, has no such phase, or no checkpoint of it yet.
    """
    phase = _phase_of(directory, name)
    folder, model = directory / phase.name, phase.make_model()
    if isinstance(model, TextMatching):
        return trained_text_encoder(folder, model)
    if isinstance(model, Classifier):
        Checkpoints(folder / 'checkpoints').restore_some({'network': variables_of(model.network)})
        if isinstance(model, AttributeClassifier):
            return AttributeReader(model.network, model.names)
        return ClassReader(model.network, model.sizes[-1])
    assert isinstance(model, AdversarialModel)
    network = model.generator_ema
    checkpoints = Checkpoints(folder / 'checkpoints')
    checkpoints.restore_some({'generator_ema': variables_of(network)}, checkpoint)
    network.trainable = True
    progress = checkpoints.progress(checkpoint)
    condition_source = progress.get('condition_source', {})
    encoder = _encoder_of(directory, phase, condition_source.get('text_encoder'), progress.get('embeddings'))
    generator = NetworkGenerator(network, encoder, condition_source.get('class_names', ()))
    generator.trained = (phase.name, progress['step'])
    generator.title = f'averaged generator of {folder} after {progress["step"]:,} steps'
    return generator


def load_adversaries(directory: Path, name: str | None = None) -> tuple[keras.Model, list[keras.Model]]:
    """The averaged generator of a phase and its discriminators, small to large, at its newest checkpoint.

    Args:
        directory: of the run.
        name: of the phase; by default the last.

    Raises:
        UserError: the directory is no run, has no such phase, it trains no generator, or has no checkpoint yet.
    """
    phase = _phase_of(directory, name)
    model = phase.make_model()
    if not isinstance(model, AdversarialModel):
        raise UserError(f'phase {phase.name!r} of {directory} trains no generator')
    networks = {'generator_ema': model.generator_ema}
    named = zip(model.discriminator_names(), model.discriminators, strict=True)
    networks |= {f'discriminator_{name}': network for name, network in named}
    checkpoint_variables = {piece: variables_of(network) for piece, network in networks.items()}
    Checkpoints(directory / phase.name / 'checkpoints').restore_some(checkpoint_variables)
    return model.generator_ema, model.discriminators


def training_of(directory: Path, name: str | None = None, checkpoint: str = 'newest') -> tuple[str, dict[str, Any]]:
    """How a phase of a run was trained: the class of its model, and what a checkpoint says of it.

    Args:
        directory: of the run.
        name: of the phase; by default the last.
        checkpoint: see `Checkpoints.find`.

    Raises:
        UserError: the directory is no run, has no such phase, or no checkpoint of it yet.
    """
    phase = _phase_of(directory, name)
    progress = Checkpoints(directory / phase.name / 'checkpoints').progress(checkpoint)
    return type(phase.make_model()).__name__, progress


def _phase_of(directory: Path, name: str | None) -> Phase:
    """A phase of a run, by default the last.

    Raises:
        UserError: there is none.
    """
    phases = {phase.name: phase for phase in read_run(directory).run.phases}
    if name is not None and name not in phases:
        raise UserError(f'{directory} has no phase {name!r}: it has {", ".join(phases)}')
    return phases[name] if name is not None else list(phases.values())[-1]


def _encoder_of(directory: Path, phase: Phase, handle: str | None, fingerprint: str | None) -> TextEncoder | None:
    """The text encoder that a phase was trained with, if an earlier one trained it or TF Hub has it.

    Raises:
        UserError: it cannot be loaded, or has changed since.
    """
    if isinstance(phase.text_encoder, str):
        source = str(directory / phase.text_encoder)
        encoder = load_phase(directory, phase.text_encoder)
        assert isinstance(encoder, TextEncoder)
    elif handle is not None:
        source, encoder = handle, SavedEncoder(handle)
    else:
        return None
    if encoder.fingerprint != fingerprint:
        raise UserError(f'{directory} was trained with another text encoder than the one that is in {source} now')
    return encoder


def _is_run(source: str | Path) -> bool:
    """Whether it is a run directory; else it is to be a SavedModel or a handle.

    Raises:
        UserError: it can be neither.
    """
    path = Path(source)
    if (path / CONFIG).is_file():
        return True
    if path.is_dir() and not (path / 'saved_model.pb').is_file():
        raise UserError(f'{path} holds no model: name a run directory or an exported model')
    if not path.exists() and '://' not in str(source):
        raise UserError(f'there is no {path}: name a run directory, an exported model or a TF Hub handle')
    return False
