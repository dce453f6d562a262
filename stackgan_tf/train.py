r"""Trains a recipe, or resumes a run.

python -m stackgan_tf.train --gin_file=gin/quickstart.gin --workdir=runs/quickstart
"""

import sys
from pathlib import Path

from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.onednn import restore_onednn

_GIN_FILE = flags.DEFINE_multi_string('gin_file', [], 'The recipe; may be repeated: later files override earlier ones.')
_GIN_PARAM = flags.DEFINE_multi_string('gin_param', [], 'A setting such as "STEPS = 100"; may be repeated.')
# Shorthands of knobs that most recipes have.
_SHORTHANDS = [
    flags.DEFINE_string('images', None, 'The folder of your images; short for IMAGE_ROOT.'),
    flags.DEFINE_integer('steps', None, 'Steps of the last phase; short for STEPS.', lower_bound=1),
    flags.DEFINE_integer(
        'batch_size', None, 'Images per step, on all devices together; short for BATCH_SIZE.', lower_bound=1
    ),
    flags.DEFINE_integer('seed', None, 'The seed of weights, noise and data; short for SEED.', lower_bound=0),
]
_WORKDIR = flags.DEFINE_string('workdir', None, 'The run directory; by default gin/NAME.gin trains in runs/NAME.')
_DRY_RUN = flags.DEFINE_bool(
    'dry_run', False, 'Print all settings, the networks and an estimate of memory, and do not train.'
)


def default_workdir(gin_file: str) -> Path:
    """`runs/NAME` for `gin/NAME.gin` in any folder; NAME may have folders."""
    path = Path(gin_file).with_suffix('')
    inside = path.parts[len(path.parts) - path.parts[::-1].index('gin') :] if 'gin' in path.parts else path.parts[-1:]
    return Path('runs', *inside)


def choose_kernels() -> None:
    """Chooses the CPU kernels before TensorFlow is imported: a run resumes with those with which it started."""
    if _GIN_FILE.value:
        restore_onednn(_workdir() / 'environment.json')


def _workdir() -> Path:
    return Path(_WORKDIR.value or default_workdir(_GIN_FILE.value[-1]))


def main() -> None:
    """Trains the recipe of the flags."""
    from stackgan_tf.recipe.dry_run import describe
    from stackgan_tf.recipe.knobs import knob_settings
    from stackgan_tf.recipe.recipe import known_recipes, read_recipe
    from stackgan_tf.runs.run_directory import RunDirectory
    from stackgan_tf.system.interruption import InterruptedRunError

    if not _GIN_FILE.value:
        raise UserError(f'name a recipe with --gin_file: there are {", ".join(known_recipes())}')
    settings = knob_settings(_GIN_PARAM.value, {flag.name: flag.value for flag in _SHORTHANDS})
    recipe = read_recipe(_GIN_FILE.value, settings)
    if _DRY_RUN.value:
        say(describe(recipe))
        return
    directory = RunDirectory(_workdir(), recipe.config)
    try:
        recipe.run.train(directory)
    except InterruptedRunError as interrupted:
        say(f'{interrupted}: stopped; the same command resumes the run.')
        sys.exit(interrupted.status)


if __name__ == '__main__':
    groups = {
        'Recipe': [_GIN_FILE, _GIN_PARAM],
        'Settings of most recipes': _SHORTHANDS,
        'Run': [_WORKDIR, _DRY_RUN],
    }
    run_command(main, before_tensorflow=choose_kernels, flag_groups=groups)
