r"""Exports what a run trained: a generator, a text encoder (both checked in a fresh process) or a classifier.

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
from stackgan_tf.system.errors import UserError

if TYPE_CHECKING:  # importing them takes TensorFlow, and seconds
    from stackgan_tf.generator import NetworkGenerator
    from stackgan_tf.saved_models.model_card import Origin
    from stackgan_tf.text.text_encoder import TextEncoder

_MODEL = flags.DEFINE_string('model', None, 'A run directory.', required=True)
_PHASE = flags.DEFINE_string('phase', None, 'The phase whose model is exported; by default the last.')
_CHECKPOINT = flags.DEFINE_string(
    'checkpoint', 'newest', 'Of a generator: newest, best (where it is scored) or a step.'
)
_FORMAT = flags.DEFINE_enum(
    'format',
    'saved_model',
    ['saved_model', 'hub', 'serving'],
    'A SavedModel; a .tar.gz with a model card, for TF Hub; or a folder that TensorFlow Serving serves.',
)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'What to make; by default export/, NAME.tar.gz or serving/ in the run directory.'
)
_NAME = flags.DEFINE_string('name', None, 'What hub and serving call the model; by default as the run directory.')
_MODEL_VERSION = flags.DEFINE_integer('model_version', 1, 'Of serving: the version.', lower_bound=1)
_BATCH_SIZES = flags.DEFINE_list('batch_sizes', ['1', '2', '4', '8'], 'Of serving: what batches are padded to.')
_LICENCE = flags.DEFINE_string('licence', '', 'Of hub: the licence of the model, for its card.')


def main() -> None:
    """Exports what the flags say."""
    from stackgan_tf.evaluation.attribute_reader import AttributeReader, ClassReader
    from stackgan_tf.loading import load_phase
    from stackgan_tf.saved_models.classifier_module import export_classifier
    from stackgan_tf.saved_models.saved_model import check_target
    from stackgan_tf.text.text_encoder import TextEncoder

    run = Path(_MODEL.value)
    names = {'saved_model': 'export', 'hub': f'{_name(run)}.tar.gz', 'serving': 'serving'}
    target = Path(_OUTPUT.value) if _OUTPUT.value else run / names[_FORMAT.value]
    if _FORMAT.value != 'serving':  # to which a version may be added
        check_target(target)
    model = load_phase(run, _PHASE.value, _CHECKPOINT.value)
    if _FORMAT.value != 'saved_model' and isinstance(model, TextEncoder | AttributeReader | ClassReader):
        raise UserError(f'--format={_FORMAT.value} is for generators: export this with --format=saved_model')
    if isinstance(model, TextEncoder):
        print(_export_encoder(model, target))
    elif isinstance(model, AttributeReader | ClassReader):
        export_classifier(model.network, target)
        size = model.network.size
        print(f'The classifier (of {size} pixels) is in {target}: --features=saved_model:{target} reads it.')
    else:
        print(_export_generator(model, run, target))


def _export_encoder(encoder: 'TextEncoder', target: Path) -> str:
    """Exports a text encoder; says what was made."""
    from stackgan_tf.saved_models.text_encoder_module import export_text_encoder
    from stackgan_tf.saved_models.verification import encoder_check

    export_text_encoder(encoder, target, encoder_check(encoder))
    what = f'text encoder ({encoder.dimension} numbers a caption)'
    return f'The {what} is in {target}: hub.load, tf.saved_model.load and TensorFlow Serving read it.'


def _export_generator(generator: 'NetworkGenerator', run: Path, target: Path) -> str:
    """Exports a generator in the format of the flags; says what was made."""
    from stackgan_tf.saved_models.hub_export import export_for_hub
    from stackgan_tf.saved_models.model_card import model_card
    from stackgan_tf.saved_models.saved_model import export_saved_model
    from stackgan_tf.saved_models.serving_export import ServedAs, export_for_serving
    from stackgan_tf.saved_models.verification import generator_check

    what = f'The {generator.kind} model is in'
    if _FORMAT.value == 'serving':
        served = ServedAs(_name(run), _MODEL_VERSION.value, _batch_sizes())
        version = export_for_serving(generator, target, served)
        return f'{what} {version}; {target / "README.md"} says how to serve and ask it.'
    if _FORMAT.value == 'hub':
        export_for_hub(generator, target, model_card(_name(run), generator, _origin(generator, run)))
        return f'{what} {target}: put it where an address reaches it, which is then its TF Hub handle.'
    check = generator_check(generator)
    export_saved_model(generator.network, target, generator.encoder, generator.class_names, check)
    return f'{what} {target}: hub.load, tf.saved_model.load and TensorFlow Serving read it.'


def _name(run: Path) -> str:
    from stackgan_tf.saved_models.serving_export import name_of

    return _NAME.value if _NAME.value is not None else name_of(run.absolute().name)


def _batch_sizes() -> list[int]:
    if not all(size.isdigit() for size in _BATCH_SIZES.value):
        raise UserError(f'--batch_sizes={",".join(_BATCH_SIZES.value)} are no numbers: write for example 1,2,4,8')
    return [int(size) for size in _BATCH_SIZES.value]


def _origin(generator: 'NetworkGenerator', run: Path) -> 'Origin':
    """Where the model of a run comes from, for its card.

    Raises:
        UserError: the report beside it cannot be read.
    """
    from stackgan_tf.data.published.data_sets import PUBLISHED_DATA_SETS
    from stackgan_tf.loading import training_of
    from stackgan_tf.saved_models.model_card import Origin

    model, progress = training_of(run, _PHASE.value, _CHECKPOINT.value)
    data = progress.get('data', '')
    published = PUBLISHED_DATA_SETS.get(data)
    licence = (
        published.licence if published else 'painted by stackgan_tf, Apache 2.0' if 'painted_birds' in data else ''
    )
    report = run / 'evaluation.json'
    with read_back(report):
        scores = json.loads(report.read_text(encoding='utf-8')) if report.exists() else None
        if scores is not None and scores.get('trained') != list(generator.trained or ()):
            print(f'{report} is of another phase or step, so the model card has no scores: evaluate again')
            scores = None
    return Origin(model, progress['step'], progress['pictures'], data, licence, _LICENCE.value, scores)


if __name__ == '__main__':
    run_command(main)
