"""Opens a finished model, wherever it is."""

from pathlib import Path

from stackgan_tf.generator import Generator, NetworkGenerator, load_saved_model
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.recipe.recipe import read_run
from stackgan_tf.training.checkpoints import Checkpoints
from stackgan_tf.training.run_directory import CONFIG
from stackgan_tf.user_error import UserError


def load(source: str | Path) -> Generator:
    """Loads a model to generate with.

    Args:
        source: a run directory (its averaged generator at the newest checkpoint), the folder of an exported model, or a
            TF Hub handle.

    Raises:
        UserError: there is no model.
    """
    path = Path(source)
    if (path / CONFIG).is_file():
        return load_run(path)
    if path.is_dir() and not (path / 'saved_model.pb').is_file():
        raise UserError(f'{path} holds no model: name a run directory or an exported model')
    if not path.exists() and '://' not in str(source):
        raise UserError(f'there is no {path}: name a run directory, an exported model or a TF Hub handle')
    return load_saved_model(str(source))


def load_run(directory: Path) -> NetworkGenerator:
    """The averaged generator of a run's last phase, at its newest checkpoint.

    Raises:
        UserError: the directory is no run, trains no generator, or has no checkpoint yet.
    """
    phase = read_run(directory).run.phases[-1]
    model = phase.model()
    if not isinstance(model, AdversarialModel):
        raise UserError(f'{directory} trains no generator: its last phase, {phase.name}, is of {type(model).__name__}')
    network = model.averaged_generator
    Checkpoints(directory / phase.name / 'checkpoints').restore_generator(network)
    network.trainable = True
    return NetworkGenerator(network)
