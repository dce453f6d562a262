r"""Asks people which model draws better: a page on which they rank images, and the score of their answers.

python tools/human_study.py build --model=runs/v1 --model=runs/v2 --data=painted_birds/76px --count=50 --output=study
python tools/human_study.py score --study=study answers_*.json

`build` writes `page/`, to hand to raters, and `key.json`, to keep: it says which image is of which model. Raters open
`page/index.html`, rank, and send the file that they export. `score` prints mean ranks, 1 the best, with 95 %
intervals, and Kendall's W, the agreement of raters.
"""

from pathlib import Path

from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

_MODEL = flags.DEFINE_multi_string('model', [], 'A run, an export, preset:NAME or a TF Hub handle; two or more.')
_CAPTION = flags.DEFINE_multi_string('caption', [], 'A caption, or a class; repeatable. Or name --data.')
_DATA = flags.DEFINE_string('data', None, 'The data set, or the run with the data, of which captions are sampled.')
_SPLIT = flags.DEFINE_string('split', 'test', 'The split of the captions.')
_COUNT = flags.DEFINE_integer('count', 50, 'Captions that are sampled; rankings without captions.', 1, 10_000)
_IMAGES = flags.DEFINE_integer('images', 1, 'Images of each model for each caption, ranked as one.', 1, 25)
_SEED = flags.DEFINE_integer('seed', 0, 'The seed of images, orders, captions and resampling.', 0, 2**31 - 1)
_OUTPUT = flags.DEFINE_string('output', 'study', 'The new folder of the study.')
_STUDY = flags.DEFINE_string('study', 'study', 'The folder of the study whose answers are scored.')


def _captions(unconditional: bool) -> list[str]:
    """The captions of the trials; empty strings for unconditional models.

    Raises:
        UserError: the flags name no captions, or two sources of them.
    """
    if unconditional:
        if _CAPTION.value or _DATA.value:
            raise UserError('unconditional models need no captions: leave out --caption and --data')
        return [''] * _COUNT.value
    if bool(_CAPTION.value) == bool(_DATA.value):
        raise UserError('name captions either with --caption or with --data')
    if _CAPTION.value:
        return _CAPTION.value
    from stackgan_tf.commands.evaluators import load_reference
    from stackgan_tf.evaluation.caption_sampling import sample_captions

    sampled = sample_captions(load_reference(_DATA.value, _SPLIT.value), _COUNT.value, _SEED.value)
    return [text.decode('utf-8', 'replace') for text in sampled.texts]


def _build() -> None:
    """Writes a study.

    Raises:
        UserError: the models cannot be compared.
    """
    from stackgan_tf.human_study.study import build_study, study_images
    from stackgan_tf.loading import load

    output = Path(_OUTPUT.value)
    if output.exists():
        raise UserError(f'{output} exists already: name a new --output')
    if len(set(_MODEL.value)) < max(2, len(_MODEL.value)):
        raise UserError('name two or more different models: --model=A --model=B')
    models = {source: load(source) for source in _MODEL.value}
    kinds = {model.kind == 'unconditional' for model in models.values()}
    if len(kinds) > 1:
        raise UserError('conditional and unconditional models cannot be compared')
    captions = _captions(kinds.pop())
    images = {}
    for source, model in models.items():
        embeddings = None if model.kind == 'unconditional' else model.embed(captions)
        images[source] = study_images(model, embeddings, len(captions), _IMAGES.value, _SEED.value)
    build_study(output, images, captions, _SEED.value)
    say(f'{len(captions)} rankings of {len(models)} models are in {output / "page"}: raters open its index.html.')
    say(f'Keep {output / "key.json"} to yourself: it names the models.')


def _score(files: list[str]) -> None:
    """Scores the answers in files, prints a table, and writes `scores.json`.

    Raises:
        UserError: there are no answers, or they cannot be read.
    """
    from stackgan_tf.human_study.answers import read_answers
    from stackgan_tf.human_study.report import report, table
    from stackgan_tf.human_study.study import KEY, read_key
    from stackgan_tf.system.atomic_files import write_json

    study = Path(_STUDY.value)
    key = read_key(study / KEY)
    scores = report(read_answers([Path(file) for file in files], key), key, _SEED.value)
    say(table(scores))
    write_json(study / 'scores.json', scores)
    say(f'\nThe scores are {study / "scores.json"}')


def main(words: list[str]) -> None:
    """Builds or scores a study.

    Raises:
        UserError: the first argument is neither.
    """
    if words == ['build']:
        _build()
    elif words[:1] == ['score']:
        _score(words[1:])
    else:
        raise UserError('say what to do: build, or score and the files of answers')


if __name__ == '__main__':
    groups = {
        'build': [_MODEL, _CAPTION, _DATA, _SPLIT, _COUNT, _IMAGES, _OUTPUT],
        'score': [_STUDY],
        'Both': [_SEED],
    }
    run_command(main, words=True, flag_groups=groups)
