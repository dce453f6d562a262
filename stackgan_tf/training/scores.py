"""Scores on test data during training, for text encoders and classifiers."""

import functools

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.attribute_reader import AttributeReader, ClassReader
from stackgan_tf.evaluation.zero_shot import zero_shot_scores
from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.models.class_classifier import ClassClassifier
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder
from stackgan_tf.training.phase import Phase


def check_scored(model: TrainedModel, test_source: ExampleSource | None, phase: Phase) -> None:
    """Refuses test data that a phase's model cannot be scored on.

    Raises:
        UserError: the model has no such scores, or the data lack what they need.
    """
    if test_source is None:
        return
    if 'tokens' in model.batch_keys:
        test_source.captions()
    elif 'attributes' in model.batch_keys:
        test_source.attributes()
    elif (
        scores_on_test_data.dispatch(type(model)) is scores_on_test_data.dispatch(TrainedModel) and phase.scores is None
    ):
        raise UserError(f'{phase.name}/Phase.test_data is of no use: set {phase.name}/Phase.scores, or leave it out')


@functools.singledispatch
def scores_on_test_data(model: TrainedModel, test_source: ExampleSource) -> dict[str, float]:
    """Scores on test data, by name; empty for a generator, whose scores are `GeneratorScores`."""
    return {}


@scores_on_test_data.register
def _(model: TextMatching, test_source: ExampleSource) -> dict[str, float]:
    return zero_shot_scores(CharacterEncoder(model.text_encoder, model.image_encoder), test_source)


@scores_on_test_data.register
def _(model: ClassClassifier, test_source: ExampleSource) -> dict[str, float]:
    return {'test_class_accuracy': ClassReader(model.network, model.sizes[-1]).accuracy(test_source)}


@scores_on_test_data.register
def _(model: AttributeClassifier, test_source: ExampleSource) -> dict[str, float]:
    accuracies = AttributeReader(model.network, model.names).accuracies(test_source)
    return {f'test_{name}_accuracy': accuracy for name, accuracy in accuracies.items()}
