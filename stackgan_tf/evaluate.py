r"""Scores a model against real images, and by how well its images match their captions; writes a report.

python -m stackgan_tf.train --gin_file=gin/evaluation/painted_birds.gin
python -m stackgan_tf.evaluate --model=runs/quickstart --reference=painted_birds/76px \
    --classifier=runs/evaluation/painted_birds
"""

from pathlib import Path
from typing import Any

from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

_MODEL = flags.DEFINE_string(
    'model',
    None,
    'A run directory, an exported model, preset:NAME, a TF Hub handle, or a folder of generated images; by default '
    'preset:painted_birds.',
)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'The report; by default evaluation.json in the run directory, or else here.'
)
_CHECKPOINT = flags.DEFINE_string(
    'checkpoint', 'newest', 'For a run: newest, best (if its recipe scores it) or a step.'
)
_WATCH = flags.DEFINE_bool('watch', False, 'Score every checkpoint of a run as it appears, until the run is complete.')
# The other flags are the arguments of `build_evaluator`.
_EVALUATOR = [
    flags.DEFINE_string(
        'reference', None, "Real images: a data set's name, a run (its data, cropped as its recipe says) or a folder."
    ),
    flags.DEFINE_string(
        'split', 'test', 'The split of the real images and captions; choose settings on another than you report.'
    ),
    flags.DEFINE_bool('crop_to_boxes', False, 'Crop the images of a data set around their boxes, as the birds of CUB.'),
    flags.DEFINE_bool('random_crops', False, 'Crop the reference at random, as in training; else in the center.'),
    flags.DEFINE_string(
        'classifier',
        None,
        'The run of an attribute classifier; without a data set as reference, its test data give the captions.',
    ),
    flags.DEFINE_string(
        'features',
        None,
        'The feature extractor: tfgan_inception[:FOLDER], keras_inception[:FILE], saved_model:SOURCE[@PIXELS], '
        'classifier:RUN or discriminator:RUN; by default that of --classifier, else tfgan_inception.',
    ),
    flags.DEFINE_enum(
        'resize',
        'clean',
        ['clean', 'legacy'],
        'How images are resized for the feature extractor: antialiased bicubic, or bilinear as in TensorFlow 1.',
    ),
    flags.DEFINE_bool('fid_64', False, 'Add the FID of copies at 64 pixels, FID* of the paper.'),
    flags.DEFINE_string(
        'text_encoder', None, 'For R-precision, a run that trained a text encoder; by default that of the model.'
    ),
    flags.DEFINE_string(
        'clip',
        None,
        'For CLIP score and R-precision by CLIP, a preset of keras-hub such as clip_vit_base_patch32, or its folder.',
    ),
    flags.DEFINE_integer(
        'count', None, 'Number of generated images; by default 10,000, without a reference 1,000.', 1, 10_000_000
    ),
    flags.DEFINE_integer('seed', 0, 'The seed of every random draw.', lower_bound=0, upper_bound=2**31 - 1),
]


def main() -> None:
    """Measures the model of the flags."""
    import tensorflow as tf

    from stackgan_tf.commands.continuous_evaluation import evaluate_continuously
    from stackgan_tf.commands.evaluators import build_evaluator, open_model
    from stackgan_tf.evaluation.image_sources import ImageSource
    from stackgan_tf.evaluation.report import report, table
    from stackgan_tf.preset_files import source_or_default
    from stackgan_tf.runs.run_directory import CONFIG, environment
    from stackgan_tf.system.atomic_files import check_writable, write_json

    tf.config.experimental.enable_op_determinism()
    settings: dict[str, Any] = {flag.name: flag.value for flag in _EVALUATOR}
    source = source_or_default(_MODEL.value)
    run = Path(source) if (Path(source) / CONFIG).is_file() else None
    if _WATCH.value and run is None:
        raise UserError(f'--watch is for runs: {source} is not one')
    if _WATCH.value and (_OUTPUT.value is not None or _CHECKPOINT.value != 'newest'):
        raise UserError('--watch writes reports of all checkpoints into the run: leave out --output and --checkpoint')
    target = Path(_OUTPUT.value) if _OUTPUT.value is not None else (run or Path()) / 'evaluation.json'
    if not _WATCH.value:
        check_writable(target)
    model = None if _WATCH.value else open_model(source, _CHECKPOINT.value)
    evaluator = build_evaluator(**settings)
    settings['count'] = evaluator.count
    details = {'model': source, 'settings': settings, 'environment': environment()}
    if model is None:
        evaluate_continuously(Path(source), evaluator, details)
        return
    size = model.size if isinstance(model, ImageSource) else model.sizes[-1]
    measurement = evaluator.measure(model, evaluator.reference(size))
    say(table(measurement))
    write_json(target, report(measurement, {'trained': getattr(model, 'trained', None), **details}))
    say(f'\nThe report is {target}')


if __name__ == '__main__':
    flag = {each.name: each for each in _EVALUATOR}
    groups = {
        'Model': [_MODEL, _CHECKPOINT, flag['count'], flag['seed']],
        'Real images': [flag[name] for name in ('reference', 'split', 'crop_to_boxes', 'random_crops')],
        'Scores': [flag[name] for name in ('classifier', 'text_encoder', 'clip', 'features', 'resize', 'fid_64')],
        'Report': [_OUTPUT, _WATCH],
    }
    run_command(main, flag_groups=groups)
