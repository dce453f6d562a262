"""Text encoders in a run: the one that a phase trained, and what a later phase gets from it."""

from collections.abc import Sequence
from pathlib import Path

from stackgan_tf.data.embeddings import CaptionEmbeddings, Embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.models.trained_model import TrainedModel, variables_of
from stackgan_tf.text.character_encoder import CharacterEncoder
from stackgan_tf.training.checkpoints import Checkpoints
from stackgan_tf.training.phase import Phase
from stackgan_tf.user_error import UserError


def trained_text_encoder(folder: Path, model: TextMatching) -> CharacterEncoder:
    """The encoders of a phase at its newest checkpoint.

    Args:
        folder: of the phase.
        model: its model, whose weights are overwritten.

    Raises:
        UserError: there is no checkpoint yet.
    """
    networks = {'text_encoder': model.text_encoder, 'image_encoder': model.image_encoder}
    Checkpoints(folder / 'checkpoints').restore_some({name: variables_of(each) for name, each in networks.items()})
    return CharacterEncoder(model.text_encoder, model.image_encoder)


def embeddings_for(phase: Phase, phases: Sequence[Phase], source: ExampleSource, directory: Path) -> Embeddings | None:
    """The embeddings that a phase trains with; none if it names no text encoder.

    Raises:
        UserError: they cannot be had.
    """
    if phase.text_encoder is None:
        return None
    if callable(phase.text_encoder):
        return phase.text_encoder(source)
    model = next(earlier for earlier in phases if earlier.name == phase.text_encoder).model()
    if not isinstance(model, TextMatching):
        raise UserError(f'{phase.name}/Phase.text_encoder = {phase.text_encoder!r}: that phase trains no text encoder')
    return CaptionEmbeddings(source, trained_text_encoder(directory / phase.text_encoder, model))


def check_embeddings(model: TrainedModel, embeddings: Embeddings | None, phase: str) -> None:
    """Refuses a model and embeddings that do not go together.

    Raises:
        UserError: only one of them wants the other, or the embeddings are of another length.
    """
    if embeddings is None and 'embedding' in model.reads:
        raise UserError(f'{phase} reads embeddings: set {phase}/Phase.text_encoder')
    if embeddings is not None and 'embedding' not in model.reads:
        raise UserError(f'{phase} reads no embeddings: {phase}/Phase.text_encoder is of no use')
    if embeddings is not None and embeddings.dimension != model.embedding_dimension:
        raise UserError(
            f'the text encoder of {phase} gives {embeddings.dimension} numbers a caption, the model reads '
            f'{model.embedding_dimension}: set {type(model).__name__}.embedding_dimension = {embeddings.dimension}'
        )
