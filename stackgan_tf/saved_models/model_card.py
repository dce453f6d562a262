"""The model card of a shared model: its kind, training data, license, scores and limits."""

import dataclasses
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stackgan_tf
from stackgan_tf.generator import NetworkGenerator

_TEMPLATES = Path(__file__).parent / 'templates'
_KINDS = {
    'text': 'Captions to images',
    'embedding': 'Embeddings of captions to images',
    'class': 'Images of classes',
    'unconditional': 'Images of one kind',
}
_CONDITIONS = {
    'text': "caption=tf.constant(['a small red bird']), ",
    'class': 'label=tf.constant([0], tf.int64), ',
    'embedding': 'embedding=tf.zeros((1, {dimension})), ',
    'unconditional': '',
}


@dataclasses.dataclass(frozen=True)
class Origin:
    """The training of a model, for its card.

    Attributes:
        model: the class that trained it, such as StackGANv2.
        steps: number of training steps.
        images: number of training images.
        data: the name of the training data; empty if unknown.
        data_license: the license of the data; empty if unknown.
        license: the license of the model; empty if not stated.
        scores: the report of `stackgan_tf.evaluate`, if there is one.
    """

    model: str
    steps: int
    images: int
    data: str = ''
    data_license: str = ''
    license: str = ''
    scores: Mapping[str, Any] | None = None


def model_card(name: str, generator: NetworkGenerator, origin: Origin, preset: bool = False) -> str:
    """The card, in Markdown.

    Args:
        name: the name of the model.
        generator: the model.
        origin: its training.
        preset: whether the model comes with this package; otherwise the card is of a TF Hub archive.
    """
    parameters = sum(variable.value.shape.num_elements() for variable in generator.network.trainable_variables)
    use = _filled(
        'preset_use.md' if preset else 'hub_use.md',
        name=name,
        condition=_CONDITIONS[generator.kind].format(dimension=generator.embedding_dimension),
        embed=', `embed` (captions to vectors)' if generator.kind == 'text' else '',
        example="['a small red bird']" if generator.kind == 'text' else '16',
    )
    return _filled(
        'model_card.md',
        name=name,
        use=use.rstrip(),
        what=f'{_KINDS[generator.kind]} by {origin.model}, {origin.steps:,} steps',
        package=f'stackgan_tf {stackgan_tf.__version__}',
        sizes=', '.join(map(str, generator.sizes)),
        parameters=f'{parameters:,}',
        data=_data(origin),
        license=origin.license or 'Not stated. Ask the publisher before you redistribute the model.',
        scores=_scores(origin.scores),
    )


def _filled(template: str, **values: str) -> str:
    return string.Template((_TEMPLATES / template).read_text(encoding='utf-8')).substitute(values)


def _data(origin: Origin) -> str:
    name = origin.data or 'a data set whose name the run does not record'
    return f'{name}, {origin.images:,} images. License of the data: {origin.data_license or "unknown"}.'


def _scores(report: Mapping[str, Any] | None) -> str:
    """The scores of a report as a table, with their protocols."""
    if report is None:
        return 'Not measured.'
    rows = []
    for name, score in report['metrics'].items():
        spread = '' if score['spread'] is None else f'{score["spread"]:.3f} ({score["spread_is"]})'
        rows.append(f'| {name} | {score["value"]:.3f} | {spread} | {score["count"]:,} | {score["protocol"]} |')
    return '\n'.join(['| score | value | spread | count | protocol |', '|---|---|---|---|---|', *rows])
