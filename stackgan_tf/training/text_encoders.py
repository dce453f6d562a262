"""Text encoders in a run: the embeddings and the examples of a phase."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stackgan_tf.data.captioned_examples import CaptionedExamples
from stackgan_tf.data.embeddings import CaptionEmbeddings, Embeddings, LabelVectors, sample_embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.loading import load_phase, load_text_encoder
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.networks.embedding_whitening import RESOLUTION
from stackgan_tf.preset_files import open_preset
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.caption_readings import caption_readings
from stackgan_tf.text.text_encoder import TextEncoder
from stackgan_tf.training.phase import Phase


def check_text_encoder(phase: Phase, earlier: Sequence[str]) -> None:
    """Checks that the text encoder that a phase names exists.

    Args:
        phase: to be checked.
        earlier: the names of the phases before it.

    Raises:
        UserError: it names no phase before it, and no preset.
    """
    if phase.text_preset is not None:
        open_preset(phase.text_preset)
    elif isinstance(phase.text_encoder, str) and phase.text_encoder not in earlier:
        raise UserError(
            f'{phase.name}/Phase.text_encoder = {phase.text_encoder!r} names no phase before it'
            f' ({", ".join(earlier) or "it is the first"})'
        )


def embeddings_for(phase: Phase, model: TrainedModel, source: ExampleSource, directory: Path) -> Embeddings | None:
    """The embeddings that a phase trains on; None if it names no text encoder.

    Raises:
        UserError: they cannot be made, or the model does not take them.
    """
    if (phase.text_encoder is None) == ('embedding' in model.batch_keys):
        batch_keys, do = ('no embeddings', 'leave out') if phase.text_encoder is not None else ('embeddings', 'set')
        name = f'{phase.name}/Phase.text_encoder'
        raise UserError(f'{phase.name} reads {batch_keys}: {do} {name}, or see Conditioning.embedding_dimension')
    if phase.text_encoder is None:
        return None
    embeddings: Embeddings
    if callable(phase.text_encoder):
        embeddings = phase.text_encoder(source)
        if isinstance(embeddings, CaptionEmbeddings):
            check_captions(phase, source, embeddings.encoder.alphabet)
        check_width(phase, model, embeddings.dimension)
    else:
        preset = phase.text_preset is not None
        encoder = load_text_encoder(phase.text_encoder) if preset else load_phase(directory, phase.text_encoder)
        if not isinstance(encoder, TextEncoder):
            raise not_a_text_encoder(phase)
        check_width(phase, model, encoder.dimension)  # before captions are embedded, which may take long
        check_captions(phase, source, encoder.alphabet, report=preset)  # the encoder's own phase did
        embeddings = CaptionEmbeddings(source, encoder)
        embeddings.condition_source = {'text_encoder' if preset else 'phase': phase.text_encoder}
    _check_different(phase, embeddings, source.count)
    if embeddings.missing is not None:
        count = f'{embeddings.missing.sum()} of {source.count} images'
        what = 'class' if isinstance(embeddings, LabelVectors) else 'caption'
        say(f'{phase.name}: {count} have no {what} and train the unconditional terms alone')
    return embeddings


def examples_for(phase: Phase, model: TrainedModel, source: ExampleSource) -> ExampleSource:
    """The examples that a phase trains on: without uncaptioned images if it leaves them out; reports their number.

    Raises:
        UserError: no image has captions, and they are needed.
    """
    if 'tokens' not in model.batch_keys and phase.without_captions != 'left_out':
        return source
    missing = source.captions().missing
    if not missing.any():
        return source
    say(f'{phase.name}: {missing.sum()} of {source.count} images have no caption and are left out')
    return CaptionedExamples(source)


def choose_alphabet(phase: Phase, source: ExampleSource, checkpoints: Checkpoints) -> str:
    """The alphabet that `TextMatching.alphabet = 'auto'` stands for; a resumed phase keeps its own.

    Raises:
        UserError: the data set has no captions.
    """
    if checkpoints.steps():
        return checkpoints.networks().get('text_encoder', {}).get('config', {}).get('alphabet', 'ascii')
    readings = caption_readings(itertools.chain.from_iterable(source.caption_lists()), 'ascii')
    if not readings.lossy():
        return 'ascii'
    say(f'{phase.name}: reads captions as UTF-8 bytes, for the published alphabet {", ".join(readings.losses())}')
    return 'bytes'


def check_captions(phase: Phase, source: ExampleSource, alphabet: str | None, report: bool = True) -> None:
    """Checks what a text encoder reads of the captions that a phase trains on.

    Args:
        phase: at work.
        source: with captions.
        alphabet: of the text encoder, see `ALPHABETS`; None if it is not known.
        report: whether what is not read is printed.

    Raises:
        UserError: all captions read alike, so that nothing can be learned from them.
    """
    captions = source.caption_lists()
    readings = caption_readings(itertools.chain.from_iterable(captions), alphabet)
    losses = ', '.join(readings.losses())
    if readings.read == 1 and len(captions) > 1:
        which = f'{phase.name}: the {readings.count:,} captions of {source.title}'
        if readings.different > 1:
            raise UserError(f"{which} all read alike ({losses}): set TextMatching.alphabet = 'bytes'")
        raise UserError(
            f'{which} are the same, so a model cannot learn what captions mean: write what differs between the '
            'images, or train without captions (gin/image_folder.gin)'
        )
    if losses and report:
        hint = '; an encoder over bytes reads more (docs/text_encoders.md)' if alphabet == 'ascii' else ''
        say(f'{phase.name}: the text encoder does not read all: {losses}{hint}')


def _check_different(phase: Phase, embeddings: Embeddings, count: int) -> None:
    """Reports conditions that are all alike."""
    sampled = sample_embeddings(embeddings, count, most=1000)
    if np.ptp(sampled, axis=0).max() <= RESOLUTION * np.abs(sampled).max():
        say(f'{phase.name}: its conditions are all the same, so the model cannot learn what they mean')


def not_a_text_encoder(phase: Phase) -> UserError:
    """The error of a phase whose `text_encoder` names a phase that trains something else."""
    return UserError(f'{phase.name}/Phase.text_encoder = {phase.text_encoder!r}: that phase trains no text encoder')


def check_width(phase: Phase, model: TrainedModel, dimension: int) -> None:
    """Refuses embeddings whose length is not that of the model.

    Raises:
        UserError: it is not.
    """
    if dimension != model.embedding_dimension:
        name = 'Conditioning.embedding_dimension'
        raise UserError(
            f'the embeddings of {phase.name} have {dimension} numbers, {name} = '
            f'{model.embedding_dimension}: set {name} = {dimension}'
        )


def check_dependents(waiting: Sequence[Phase], phases: Sequence[Phase], directory: Path) -> None:
    """Refuses further training of a phase that a later phase depends on: a text encoder, a Stage-I or a classifier.

    Raises:
        UserError: such a phase has steps left.
    """
    reached = {phase.name: Checkpoints(directory / phase.name / 'checkpoints').reached() for phase in phases}
    # A phase whose last checkpoint is damaged repeats its steps, and ends as it was.
    names = [phase.name for phase in waiting if reached[phase.name] < phase.steps]
    for phase in phases:
        if not reached[phase.name]:
            continue
        trained_on = {
            'embeddings': phase.text_encoder,
            'images': phase.stage_one_weights,
            'features': phase.image_features,
        }
        for what, earlier in trained_on.items():
            if earlier in names:
                raise UserError(
                    f'{phase.name} was trained on {what} of {earlier}, which would change with more steps: '
                    'name another --workdir'
                )
