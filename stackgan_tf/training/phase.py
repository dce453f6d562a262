"""A phase: one model trained on one data set for a number of steps."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

from stackgan_tf.data.embeddings import Embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.preset_files import PREFIX
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import Count


@dataclasses.dataclass(frozen=True)
class Phase:
    """The settings of one phase. Model and data are made only when the phase is trained.

    Attributes:
        name: a folder of this name in the run directory holds everything of the phase.
        model: makes the model; see `make_model`.
        data: makes the source of examples.
        steps: how many steps it trains.
        text_encoder: the source of embeddings for a conditional model: the name of an earlier phase that trains a text
            encoder, `preset:NAME`, or a function that makes embeddings of a source.
        test_data: makes the source that a model is scored on with each checkpoint; best of classes that it is not
            trained on.
        scores: for a generator, makes its scores of each checkpoint: see `GeneratorScores`.
        flip: whether half of the images are mirrored, as in the paper.
        captions_averaged: number of caption embeddings of an image whose mean is its condition; 4 in v1's released
            code.
        drop_remainder: whether each pass over the examples ends with its last whole batch, as in the released code; by
            default the next pass fills the batch up.
        without_captions: images without a caption train the unconditional terms alone (`'unconditional'`), or are
            left out (`'left_out'`); text encoders leave them out.
        image_features: for a text encoder whose image tower is that of a classifier, the earlier phase that trains it.
        initial_weights: the weights that the phase begins with, where they fit: `preset:NAME` or the folder of a run.
        stage_one: for a Stage-II, makes the Stage-I model whose averaged generator it refines.
        stage_one_weights: the source of its weights: the name of an earlier phase, or the folder of a run, of one of
            its phases or of an export.
    """

    name: str
    model: Callable[..., TrainedModel]
    data: Callable[[], ExampleSource]
    steps: Count
    text_encoder: str | Callable[[ExampleSource], Embeddings] | None = None
    test_data: Callable[[], ExampleSource] | None = None
    scores: Callable[[], Any] | None = None
    flip: bool = True
    captions_averaged: Count = 1
    drop_remainder: bool = False
    without_captions: Literal['unconditional', 'left_out'] = 'unconditional'
    image_features: str | None = None
    initial_weights: str | None = None
    stage_one: Callable[[], AdversarialModel] | None = None
    stage_one_weights: str | None = None

    @property
    def text_preset(self) -> str | None:
        """The name of the preset whose text encoder gives the embeddings; None if something else does."""
        name = self.text_encoder
        return name.removeprefix(PREFIX) if isinstance(name, str) and name.startswith(PREFIX) else None

    def make_model(self, alphabet: str | None = None) -> TrainedModel:
        """Makes the model, to be called inside the scope of its strategy; a Stage-I is untrained as yet.

        Args:
            alphabet: of a text encoder, in place of that of its settings.

        Raises:
            UserError: the model takes no Stage-I.
        """
        if alphabet is not None:
            return self.model(alphabet=alphabet)
        if self.stage_one is None:
            return self.model()
        network = self.stage_one().generator_ema
        try:
            return self.model(stage_one=network)
        except TypeError as error:  # gin hides the signature
            if "unexpected keyword argument 'stage_one'" not in str(error):
                raise
            message = f'{self.name} takes over no Stage-I: leave out {self.name}/Phase.stage_one'
            raise UserError(message) from error
