"""Scores on test data during training, for text encoders and classifiers."""

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.attribute_reader import AttributeReader, ClassReader
from stackgan_tf.evaluation.zero_shot import zero_shot_scores
from stackgan_tf.models.adversarial_model import AdversarialModel
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
    if isinstance(model, TextMatching):
        test_source.captions()
    elif isinstance(model, AttributeClassifier):
        test_source.attributes()
    elif not isinstance(model, ClassClassifier) and phase.scores is None:
        raise UserError(f'{phase.name}/Phase.test_data is of no use: set {phase.name}/Phase.scores, or leave it out')


def scores(model: TrainedModel, test_source: ExampleSource | None) -> dict[str, float]:
    """Scores on test data, by name; empty without such data, or for a generator."""
    if test_source is None or isinstance(model, AdversarialModel):
        return {}
    if isinstance(model, TextMatching):
        return zero_shot_scores(CharacterEncoder(model.text_encoder, model.image_encoder), test_source)
    if isinstance(model, ClassClassifier):
        return {'test_class_accuracy': ClassReader(model.network, model.sizes[-1]).accuracy(test_source)}
    assert isinstance(model, AttributeClassifier)
    accuracies = AttributeReader(model.network, model.names).accuracies(test_source)
    return {f'test_{name}_accuracy': accuracy for name, accuracy in accuracies.items()}
