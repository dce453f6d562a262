r"""Exports the model of a run: a generator or a text encoder (both verified in a fresh process), or a classifier.

python -m stackgan_tf.export --model=runs/quickstart
python -m stackgan_tf.export --model=runs/quickstart --format=serving --output=served
python -m stackgan_tf.export --model=runs/quickstart --format=hub --output=birds.tar.gz
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from stackgan_tf.system.atomic_files import read_back
from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.whole_numbers import whole_number

if TYPE_CHECKING:  # their import loads TensorFlow, which takes seconds
    from stackgan_tf.generator import NetworkGenerator
    from stackgan_tf.saved_models.model_card import Origin
    from stackgan_tf.text.text_encoder import TextEncoder

_MODEL = flags.DEFINE_string('model', None, 'A run directory, or preset:NAME; by default preset:painted_birds.')
_PHASE = flags.DEFINE_string('phase', None, 'The phase whose model is exported; by default the last.')
_CHECKPOINT = flags.DEFINE_string('checkpoint', 'newest', 'Of a run: newest, best (if its recipe scores it) or a step.')
_FORMAT = flags.DEFINE_enum(
    'format',
    'saved_model',
    ['saved_model', 'hub', 'serving'],
    'A SavedModel; a .tar.gz with a model card, for TF Hub; or a folder that TensorFlow Serving serves.',
)
_OUTPUT = flags.DEFINE_string(
    'output',
    None,
    'The folder or file to create; by default export/, NAME.tar.gz or serving/ in the run directory, or in a folder '
    'with the name of the preset.',
)
_NAME = flags.DEFINE_string(
    'name', None, 'For hub and serving: the name of the model; by default that of the run or preset.'
)
_MODEL_VERSION = flags.DEFINE_integer('model_version', 1, 'For serving: the version of the model.', 1, 2**63 - 1)
_BATCH_SIZES = flags.DEFINE_list(
    'batch_sizes', ['1', '2', '4', '8'], 'For serving: the batch sizes that requests are padded to.'
)
_LICENSE = flags.DEFINE_string(
    'license', '', 'For hub: the license of the model, for its card; by default that of a preset.'
)


def main() -> None:
    """Exports the model of the flags."""
    from stackgan_tf.loading import Trained, TrainedClassifier, check_newest, from_preset, load_phase
    from stackgan_tf.preset_files import PREFIX, source_or_default
    from stackgan_tf.saved_models.classifier_module import export_classifier
    from stackgan_tf.saved_models.saved_model import check_target
    from stackgan_tf.text.text_encoder import TextEncoder

    source = source_or_default(_MODEL.value)
    run = Path(source.removeprefix(PREFIX))
    names = {'saved_model': 'export', 'hub': f'{_name(run)}.tar.gz', 'serving': 'serving'}
    target = Path(_OUTPUT.value) if _OUTPUT.value else run / names[_FORMAT.value]
    if _FORMAT.value != 'serving':  # a version may be added to an existing folder
        check_target(target)
    if source.startswith(PREFIX):
        if _PHASE.value is not None:
            raise UserError(f'{source} has no phases: leave out --phase')
        check_newest(source, _CHECKPOINT.value)
        model: Trained = from_preset(source.removeprefix(PREFIX))
    else:
        model = load_phase(run, _PHASE.value, _CHECKPOINT.value)
    if _FORMAT.value != 'saved_model' and isinstance(model, TextEncoder | TrainedClassifier):
        raise UserError(f'--format={_FORMAT.value} is for generators: export this with --format=saved_model')
    if isinstance(model, TextEncoder):
        say(_export_encoder(model, target))
    elif isinstance(model, TrainedClassifier):
        export_classifier(model.network, target)
        size = model.network.size
        say(f'The classifier (of {size} pixels) is in {target}: --features=saved_model:{target} reads it.')
    else:
        say(_export_generator(model, run, target))


def _export_encoder(encoder: 'TextEncoder', target: Path) -> str:
    """Exports a text encoder; returns a message."""
    from stackgan_tf.saved_models.text_encoder_module import export_text_encoder
    from stackgan_tf.saved_models.verification import encoder_check

    export_text_encoder(encoder, target, encoder_check(encoder))
    what = f'text encoder ({encoder.dimension} numbers a caption)'
    return f'The {what} is in {target}: hub.load, tf.saved_model.load and TensorFlow Serving read it.'


def _export_generator(generator: 'NetworkGenerator', run: Path, target: Path) -> str:
    """Exports a generator in the format of the flags; returns a message."""
    from stackgan_tf.saved_models.hub_export import export_for_hub
    from stackgan_tf.saved_models.model_card import model_card
    from stackgan_tf.saved_models.saved_model import export_saved_model
    from stackgan_tf.saved_models.serving_export import ServingOptions, export_for_serving
    from stackgan_tf.saved_models.verification import generator_check

    what = f'The {generator.kind} model is in'
    if _FORMAT.value == 'serving':
        options = ServingOptions(_name(run), _MODEL_VERSION.value, _batch_sizes())
        version = export_for_serving(generator, target, options)
        return f'{what} {version}; {target / "README.md"} says how to serve it and send requests.'
    if _FORMAT.value == 'hub':
        export_for_hub(generator, target, model_card(_name(run), generator, _origin(generator, run)))
        return f'{what} {target}: upload it to a web server; its URL is the TF Hub handle.'
    check = generator_check(generator)
    export_saved_model(generator.network, target, generator.encoder, generator.class_names, check)
    return f'{what} {target}: hub.load, tf.saved_model.load and TensorFlow Serving read it.'


def _name(run: Path) -> str:
    from stackgan_tf.saved_models.serving_export import name_of

    return _NAME.value if _NAME.value is not None else name_of(run.absolute().name)


def _batch_sizes() -> list[int]:
    sizes = [size for text in _BATCH_SIZES.value if (size := whole_number(text)) is not None]
    if len(sizes) < len(_BATCH_SIZES.value):
        raise UserError(f'--batch_sizes={",".join(_BATCH_SIZES.value)} are not numbers: write for example 1,2,4,8')
    return sizes


def _origin(generator: 'NetworkGenerator', run: Path) -> 'Origin':
    """The training of a model, for its card.

    Raises:
        UserError: the evaluation report of the run cannot be read.
    """
    from stackgan_tf.data.published.data_sets import PUBLISHED_DATA_SETS
    from stackgan_tf.loading import training_of
    from stackgan_tf.preset_files import open_preset
    from stackgan_tf.saved_models.model_card import Origin

    if generator.trained is None:
        facts = open_preset(str(run)).facts
        origin = {name: facts[name] for name in ('model', 'steps', 'images', 'data', 'data_license')}
        return Origin(**origin, license=_LICENSE.value or facts['license'], scores=facts['scores'])
    model, progress = training_of(run, _PHASE.value, _CHECKPOINT.value)
    data = progress.get('data', '')
    published = PUBLISHED_DATA_SETS.get(data)
    data_license = (
        published.license if published else 'painted by stackgan_tf, Apache 2.0' if 'painted_birds' in data else ''
    )
    report = run / 'evaluation.json'
    with read_back(report):
        scores = json.loads(report.read_text(encoding='utf-8')) if report.exists() else None
        if scores is not None and scores.get('trained') != list(generator.trained or ()):
            say(f'{report} belongs to another phase or step, so the model card has no scores: evaluate again')
            scores = None
    return Origin(model, progress['step'], progress['images'], data, data_license, _LICENSE.value, scores)


if __name__ == '__main__':
    groups = {
        'Model': [_MODEL, _PHASE, _CHECKPOINT],
        'Output': [_FORMAT, _OUTPUT],
        'Formats hub and serving': [_NAME, _LICENSE, _MODEL_VERSION, _BATCH_SIZES],
    }
    run_command(main, flag_groups=groups)
