r"""Makes a preset: trains a recipe, measures it, and writes its networks in float16 with a model card.

tools/make_preset.py --gin_file=gin/presets/painted_birds.gin --reference=painted_birds/76px \
    --classifier_gin_file=gin/evaluation/painted_birds.gin

Each step is a public command in a separate process. Finished steps are not repeated: the same command resumes.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

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
_DATA_LICENSE = flags.DEFINE_string('data_license', 'painted by stackgan_tf, Apache 2.0', 'The license of the data.')
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
    _write(run, output, scores)
    difference = _largest_difference(run, name)
    size = sum(path.stat().st_size for path in output.iterdir())
    if difference > _MOST_LEVELS or size > _MOST_BYTES:
        raise UserError(
            f'{output} has {size / 1e6:.1f} MB and differs from {run} by {difference} gray levels: at most '
            f'{_MOST_BYTES / 1e6:.0f} MB and {_MOST_LEVELS} levels are wanted; make the recipe smaller'
        )
    say(f'{output}: {size / 1e6:.1f} MB; {_COMPARED} images differ from those in float32 by at most {difference}')


def _command(module: str, *arguments: str) -> None:
    """Runs a command of the package.

    Raises:
        UserError: it fails.
    """
    if subprocess.run([sys.executable, '-m', f'stackgan_tf.{module}', *arguments]).returncode:
        raise UserError(f'stackgan_tf.{module} failed: see above, then run this again')


def _measure(run: Path, folder: Path) -> dict | None:
    """The report of the model's scores; None without a reference."""
    if _REFERENCE.value is None:
        return None
    report = folder / 'evaluation.json'
    if not report.exists():
        arguments = [f'--model={run}', f'--reference={_REFERENCE.value}', f'--output={report}']
        if _CLASSIFIER.value is not None:
            _command('train', f'--gin_file={_CLASSIFIER.value}', f'--workdir={folder / "classifier"}')
            arguments.append(f'--classifier={folder / "classifier"}')
        _command('evaluate', *arguments)
    return json.loads(report.read_text(encoding='utf-8'))


def _write(run: Path, output: Path, scores: dict | None) -> None:
    from stackgan_tf.generator import NetworkGenerator
    from stackgan_tf.loading import load, load_adversaries, load_network, training_of
    from stackgan_tf.preset_files import write_preset
    from stackgan_tf.saved_models.model_card import Origin, model_card

    generator = load(run)
    assert isinstance(generator, NetworkGenerator)
    model, progress = training_of(run)
    networks = {'generator_ema': generator.network}
    networks |= {f'discriminator_{each.size}': each for each in load_adversaries(run)[1]}
    source = progress.get('condition_source', {})
    if 'phase' in source:
        networks |= {each: load_network(run, source['phase'], each) for each in ('text_encoder', 'image_encoder')}
    origin = Origin(
        model, progress['step'], progress['images'], progress.get('data', ''), _DATA_LICENSE.value, 'Apache 2.0', scores
    )
    facts = {
        'recipe': _GIN_FILE.value,
        'commit': subprocess.run(['git', 'rev-parse', 'HEAD'], capture_output=True, text=True).stdout.strip(),
        'condition_source': source,
        'model': origin.model,
        'steps': origin.steps,
        'images': origin.images,
        'data': origin.data,
        'data_license': origin.data_license,
        'license': origin.license,
        'scores': origin.scores,
    }
    write_preset(output, networks, facts)
    (output / 'README.md').write_text(model_card(output.name, generator, origin), encoding='utf-8')


def _largest_difference(run: Path, name: str) -> int:
    """The largest difference between images of the run and of the preset, gray levels."""
    from stackgan_tf.loading import from_preset, load

    trained, preset = load(run), from_preset(name)
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
