"""Reads recipes: gin files from any directory or the installed package, and settings from the command line."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import gin
import stackgan_tf
from stackgan_tf.recipe.checks import check_bindings
from stackgan_tf.recipe.configurables import register
from stackgan_tf.recipe.statements import bind_all
from stackgan_tf.runs.run_directory import CONFIG
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.initial_weights import check_initial_weights
from stackgan_tf.training.run import Run
from stackgan_tf.training.text_encoders import check_text_encoder

_PACKAGE = Path(stackgan_tf.__file__).parent
# The folders searched for gin/NAME.gin: the working directory, the installed package, the source tree.
_ROOTS = (Path(), _PACKAGE, _PACKAGE.parent)
_FOLDER = re.compile(r'[\w-]+', re.ASCII)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A recipe, read and checked.

    Attributes:
        run: the run that it describes.
        config: all its settings in gin's syntax, one per line.
    """

    run: Run
    config: str


def known_recipes() -> list[str]:
    """The names of the recipes that come with the package, as `--gin_file` takes them."""
    folder = next((root / 'gin' for root in _ROOTS[1:] if (root / 'gin').is_dir()), None)
    if folder is None:
        return []
    paths = [path.relative_to(folder) for path in folder.rglob('*.gin')]
    return sorted(f'gin/{path.as_posix()}' for path in paths if path.parts[0] != 'base')


def read_recipe(files: Sequence[str], settings: Sequence[str] = ()) -> Recipe:
    """Reads and checks a recipe.

    Args:
        files: gin files; later ones override earlier ones.
        settings: single settings such as `STEPS = 100`, which override the files.

    Raises:
        UserError: a file is missing, or the recipe has a mistake.
    """
    register()
    gin.clear_config()
    for file in files:
        if not any((root / file).is_file() for root in _ROOTS):
            raise UserError(f'no recipe {file}: there are {", ".join(known_recipes())}')
    bind_all(files, settings, _ROOTS)
    check_bindings()
    run = gin.get_configurable('Recipe')()
    _check_run(run)
    return Recipe(run, _config())


def read_run(directory: Path) -> Recipe:
    """Reads the recipe of a run directory.

    Raises:
        UserError: it is not a run directory.
    """
    config = directory / CONFIG
    if not config.is_file():
        raise UserError(f'{directory} is no run: it has no {CONFIG}')
    return read_recipe([str(config.absolute())])


def _config() -> str:
    """All settings in gin's syntax, one per line, without gin's headings."""
    lines = gin.config_str(max_line_length=10_000).splitlines()
    return '\n'.join(line for line in lines if line and not line.startswith('#')) + '\n'


def _check_run(run: Run) -> None:
    names = [phase.name for phase in run.phases]
    if not names or len(set(names)) < len(names):
        raise UserError(f'a recipe needs phases of different names, this one has {names}')
    if invalid := [name for name in names if not _FOLDER.fullmatch(name)]:
        raise UserError(f'Phase.name = {invalid[0]!r} must be letters, digits, _ and -: a folder is called so')
    for number, phase in enumerate(run.phases):
        check_initial_weights(phase)
        check_text_encoder(phase, names[:number])
        for setting in ('stage_one_weights', 'image_features'):
            if (named := getattr(phase, setting)) in names[number:]:
                raise UserError(
                    f'{phase.name}/Phase.{setting} = {named!r} is not a phase before it'
                    f' ({", ".join(names[:number]) or "it is the first"})'
                )
        if (phase.stage_one is None) != (phase.stage_one_weights is None):
            given, lacking = ('stage_one', 'stage_one_weights')[:: 1 if phase.stage_one_weights is None else -1]
            raise UserError(f'{phase.name}/Phase.{given} is of no use alone: set {phase.name}/Phase.{lacking} too')
    if not 1 <= run.steps_per_execution <= run.tick:
        raise UserError(f'Recipe.steps_per_execution = {run.steps_per_execution} must be 1 to TICK = {run.tick}')
    if run.checkpoint_every % run.tick:
        raise UserError(
            f'CHECKPOINT_EVERY = {run.checkpoint_every} must be a multiple of TICK = {run.tick}, '
            f'for example {max(1, round(run.checkpoint_every / run.tick)) * run.tick}'
        )
