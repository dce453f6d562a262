r"""Makes a preset: trains a recipe, measures it, and writes its networks in float16 with a model card.

python tools/make_preset.py --gin_file=gin/presets/painted_birds.gin --reference=painted_birds/76px \
    --classifier_gin_file=gin/evaluation/painted_birds.gin

Each step is a public command in a separate process. Finished steps are not repeated: the same command resumes. Models
that read captions through a text encoder of the same run or of a preset, and unconditional models can become presets.
"""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from stackgan_tf.system.atomic_files import scratch_folder
from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

if TYPE_CHECKING:
    from stackgan_tf.generator import NetworkGenerator

_GIN_FILE = flags.DEFINE_string('gin_file', None, 'The recipe of the model.', required=True)
_CLASSIFIER = flags.DEFINE_string('classifier_gin_file', None, 'The recipe of the classifier that measures it.')
_REFERENCE = flags.DEFINE_string('reference', None, 'The data set of real images that it is measured against.')
_WORKDIR = flags.DEFINE_string('workdir', None, 'The folder of the runs; by default runs/presets/NAME.')
_OUTPUT = flags.DEFINE_string('output', None, 'The folder of the preset; by default stackgan_tf/presets/NAME.')
_CAPTION = flags.DEFINE_multi_string(
    'caption',
    ['a small red bird with a black crown', 'this blue bird has a white belly and yellow wings'],
    'A caption whose images are compared between float16 and float32; may be repeated.',
)
_DISCRIMINATORS = flags.DEFINE_bool('discriminators', True, 'Keep the discriminators, with which a training may begin.')
_GENERATOR_TYPE = flags.DEFINE_enum(
    'generator_type', 'float16', ['float16', 'float32'], 'The type of the weights of the generator.'
)
_DATA_LICENSE = flags.DEFINE_string('data_license', 'painted by stackgan_tf, Apache 2.0', 'The license of the data.')
_ENCODERS = ('text_encoder', 'image_encoder')
_MOST_LEVELS = 2  # gray levels between float16 and float32
_MOST_BYTES = 12_000_000
_COMPARED = 64  # images


def main() -> None:
    """Trains, measures and writes the preset of the flags."""
    name = Path(_GIN_FILE.value).stem
    folder = Path(_WORKDIR.value or f'runs/presets/{name}')
    output = Path(_OUTPUT.value or f'stackgan_tf/presets/{name}')
    run = folder / 'model'
    _command('train', f'--gin_file={_GIN_FILE.value}', f'--workdir={run}')
    scores = _measure(run, folder)
    output.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(output) as scratch:
        made = scratch / name
        _write(run, made, scores)
        difference = _largest_difference(run, made)
        size = sum(path.stat().st_size for path in made.iterdir())
        if difference > _MOST_LEVELS or size > _MOST_BYTES:
            raise UserError(
                f'the preset has {size / 1e6:.1f} MB and differs from {run} by {difference} gray levels: at most '
                f'{_MOST_BYTES / 1e6:.0f} MB and {_MOST_LEVELS} levels are wanted; see --nodiscriminators and '
                '--generator_type, or make the recipe smaller'
            )
        shutil.rmtree(output, ignore_errors=True)
        made.rename(output)
    say(f'{output}: {size / 1e6:.1f} MB; {_COMPARED} images differ from those in float32 by at most {difference}')


def _command(module: str, *arguments: str) -> None:
    """Runs a command of the package.

    Raises:
        UserError: it fails.
    """
    if subprocess.run([sys.executable, '-m', f'stackgan_tf.{module}', *arguments]).returncode:
        raise UserError(f'stackgan_tf.{module} failed: see above, then run this again')


def _measure(run: Path, folder: Path) -> dict | None:
    """The model's scores, as in a report; None without a reference."""
    from stackgan_tf.loading import phases_of, training_of

    if _REFERENCE.value is None:
        return None
    report = folder / 'evaluation.json'
    trained = [phases_of(run)[-1], training_of(run)[1]['step']]
    if not report.exists() or json.loads(report.read_text(encoding='utf-8'))['trained'] != trained:
        arguments = [f'--model={run}', f'--reference={_REFERENCE.value}', f'--output={report}']
        if _CLASSIFIER.value is not None:
            _command('train', f'--gin_file={_CLASSIFIER.value}', f'--workdir={folder / "classifier"}')
            arguments.append(f'--classifier={folder / "classifier"}')
        _command('evaluate', *arguments)
    return {'metrics': json.loads(report.read_text(encoding='utf-8'))['metrics']}  # not the machine's paths


def _write(run: Path, output: Path, scores: dict | None) -> None:
    """Writes the files of the preset.

    Raises:
        UserError: presets hold no such model.
    """
    from stackgan_tf.loading import load_network, phases_of, training_of
    from stackgan_tf.preset_files import PREFIX, open_preset, write_preset
    from stackgan_tf.runs.checkpoints import Checkpoints
    from stackgan_tf.saved_models.model_card import Origin, model_card

    model, progress = training_of(run)
    phase, source = phases_of(run)[-1], progress.get('condition_source', {})
    preset = str(source.get('text_encoder', '')).startswith(PREFIX)
    if source and 'phase' not in source and not preset:
        raise UserError(
            f'{run} reads no captions through a text encoder that was trained here: presets hold no such models'
        )
    names = [name for name in Checkpoints(run / phase / 'checkpoints').networks() if name != 'generator']
    if not _DISCRIMINATORS.value:
        names = ['generator_ema']
    networks = {name: load_network(run, phase, name) for name in names}
    if preset:
        encoders = open_preset(source['text_encoder'].removeprefix(PREFIX))
        networks |= {name: encoders.network(name) for name in _ENCODERS}
    elif source:
        networks |= {name: load_network(run, source['phase'], name) for name in _ENCODERS}
    facts = {
        'model': model,
        'steps': progress['step'],
        'images': progress['images'],
        'data': progress.get('data', ''),
        'data_license': _DATA_LICENSE.value,
        'license': 'Apache 2.0',
        'scores': scores,
    }
    environment = json.loads((run / 'environment.json').read_text(encoding='utf-8'))
    commit = environment['starts'][-1]['git_revision']
    provenance = {'recipe': _GIN_FILE.value, 'commit': commit, 'condition_source': source}
    in_float32 = ['generator_ema'] if _GENERATOR_TYPE.value == 'float32' else []
    write_preset(output, networks, {**facts, **provenance}, in_float32)
    card = model_card(output.name, _generator(output), Origin(**facts), preset=True)
    command = shlex.join(['tools/make_preset.py', *sys.argv[1:]])
    made = f'Made by `{command}` from a run of commit {commit}.'
    (output / 'README.md').write_text(f'{card}\n## Training\n\n{made}\n', encoding='utf-8')


def _generator(folder: Path) -> 'NetworkGenerator':
    from stackgan_tf.loading import generator_of_preset
    from stackgan_tf.preset_files import read_preset

    return generator_of_preset(read_preset(folder))


def _largest_difference(run: Path, folder: Path) -> int:
    """The largest difference between images of the run and of the preset, gray levels."""
    from stackgan_tf.loading import load

    trained, preset = load(run), _generator(folder)
    embeddings: list[np.ndarray | None] = [None, None]
    if trained.kind == 'text':
        captions = [_CAPTION.value[number % len(_CAPTION.value)] for number in range(_COMPARED)]
        embeddings = [model.embed(captions) for model in (trained, preset)]
    images = [
        model.generate_every_size(range(_COMPARED), condition)[model.sizes[-1]].astype(np.int16)
        for model, condition in zip((trained, preset), embeddings, strict=True)
    ]
    return int(np.abs(images[0] - images[1]).max())


if __name__ == '__main__':
    run_command(main)
