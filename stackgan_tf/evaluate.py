r"""Measures whether a text-to-image model draws what it is told, and writes a report.

python -m stackgan_tf.train --gin_file=gin/evaluation/painted_birds.gin
python -m stackgan_tf.evaluate --model=runs/quickstart --classifier=runs/evaluation/painted_birds
"""

import dataclasses
from pathlib import Path

from absl import flags

from stackgan_tf.command_line import run_command

_MODEL = flags.DEFINE_string('model', None, 'A run directory, an exported model, or a TF Hub handle.', required=True)
_CLASSIFIER = flags.DEFINE_string(
    'classifier', None, 'The run of a classifier; its test data have the captions that are drawn.', required=True
)
_TEXT_ENCODER = flags.DEFINE_string(
    'text_encoder', None, 'For R-precision, a run that trained a text encoder; by default that of the model.'
)
_COUNT = flags.DEFINE_integer('count', 1000, 'How many captions are drawn.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'Of the captions, crops and pictures.', lower_bound=0, upper_bound=2**31 - 1)
_OUTPUT = flags.DEFINE_string('output', None, 'The report; by default evaluation.json in the run directory.')


def main() -> None:
    """Measures what the flags say."""
    from stackgan_tf.evaluation.text_to_image import text_to_image_scores
    from stackgan_tf.files import write_json
    from stackgan_tf.generator import NetworkGenerator
    from stackgan_tf.loading import load, load_classifier, load_text_encoder
    from stackgan_tf.training.run_directory import environment

    generator = load(_MODEL.value)
    encoder = generator.encoder if isinstance(generator, NetworkGenerator) else None
    if encoder is not None and encoder.image_size is None:
        encoder = None
    if _TEXT_ENCODER.value is not None:
        encoder = load_text_encoder(_TEXT_ENCODER.value)
    reader, source = load_classifier(_CLASSIFIER.value)
    scores = text_to_image_scores(generator, reader, source, encoder, _COUNT.value, _SEED.value)
    for name, score in scores.items():
        print(f'{name:<28} {score.value:.3f} +- {score.spread:.3f} of {score.count}')
    report = {
        'metrics': {name: dataclasses.asdict(score) for name, score in scores.items()},
        'model': _MODEL.value,
        'captions': {'data': source.title, 'count': _COUNT.value, 'seed': _SEED.value},
        'image_size': reader.size,
        'classifier': {'run': _CLASSIFIER.value, 'fingerprint': reader.fingerprint},
        'text_encoder': None if encoder is None else encoder.fingerprint,
        'environment': environment(),
    }
    beside = Path(_MODEL.value) if isinstance(generator, NetworkGenerator) else Path()
    target = Path(_OUTPUT.value) if _OUTPUT.value is not None else beside / 'evaluation.json'
    write_json(target, report)
    print(f'The report is {target}')


if __name__ == '__main__':
    run_command(main)
