"""Loads the image features of a text encoder's phase from an earlier phase's classifier."""

from collections.abc import Sequence
from pathlib import Path

from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.phase import Phase

_NETWORK = 'network'


def load_image_features(phase: Phase, model: TrainedModel, phases: Sequence[Phase], directory: Path) -> None:
    """Loads the features of the classifier that `Phase.image_features` names; does nothing to other models.

    Args:
        phase: at work.
        model: of it.
        phases: of the run.
        directory: of the run.

    Raises:
        UserError: there is no such classifier, or it does not fit.
    """
    features = model.fixed_features()
    setting = f'{phase.name}/Phase.image_features'
    if phase.image_features is None:
        if features:
            raise UserError(
                f'TextMatching.image_tower asks for the features of a classifier: set {setting} to its phase'
            )
        return
    if not features:
        raise UserError(f"{setting} is of no use here: leave it out, or set TextMatching.image_tower = 'classifier'")
    setting = f'{setting} = {phase.image_features!r}'
    checkpoints = Checkpoints(directory / phase.image_features / 'checkpoints')
    if phase.image_features not in [each.name for each in phases] or not checkpoints.steps():
        raise UserError(f'{setting}: no phase of this name has trained anything here')
    if checkpoints.shapes(_NETWORK)[: len(features)] != [tuple(variable.shape) for variable in features]:
        raise UserError(
            f'{setting} trains no such features: set TextMatching.sizes and image_width to the sizes and width of '
            'AttributeClassifier'
        )
    checkpoints.restore_networks({_NETWORK: features})
