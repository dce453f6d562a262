"""Text encoders in a run: the embeddings and the examples of a phase."""

from collections.abc import Sequence
from pathlib import Path

from stackgan_tf.data.captioned_examples import CaptionedExamples
from stackgan_tf.data.embeddings import CaptionEmbeddings, Embeddings, LabelVectors
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.loading import load_phase
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.text_encoder import TextEncoder
from stackgan_tf.training.phase import Phase


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
        check_width(phase, model, embeddings.dimension)
    else:
        encoder = load_phase(directory, phase.text_encoder)
        if not isinstance(encoder, TextEncoder):
            raise not_a_text_encoder(phase)
        check_width(phase, model, encoder.dimension)  # before captions are embedded, which may take long
        embeddings = CaptionEmbeddings(source, encoder)
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
