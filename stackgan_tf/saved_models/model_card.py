"""What goes with a model that is shared: what it is, what it was trained on, how good it is, what it is not for."""

import dataclasses
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stackgan_tf
from stackgan_tf.generator import NetworkGenerator

_TEMPLATE = Path(__file__).parent / 'templates' / 'model_card.md'
_KINDS = {
    'text': 'Captions to pictures',
    'embedding': 'Embeddings of captions to pictures',
    'class': 'Pictures of classes',
    'unconditional': 'Pictures of one kind',
}
_ASKED = {
    'text': "caption=tf.constant(['a small red bird']), ",
    'class': 'label=tf.constant([0], tf.int64), ',
    'embedding': 'embedding=tf.zeros((1, {dimension})), ',
    'unconditional': '',
}


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a model comes from.

    Attributes:
        model: the class that trained it, such as StackGANv2.
        steps: that it was trained.
        pictures: that it was trained on.
        data: their name; empty if it is not known.
        data_licence: what is known of the licence of the data; empty if nothing.
        licence: of the model; empty if nobody said.
        scores: the report that `stackgan_tf.evaluate` wrote, if it did.
    """

    model: str
    steps: int
    pictures: int
    data: str = ''
    data_licence: str = ''
    licence: str = ''
    scores: Mapping[str, Any] | None = None


def model_card(name: str, generator: NetworkGenerator, origin: Origin) -> str:
    """The card, in Markdown.

    Args:
        name: of the model.
        generator: the model.
        origin: where it comes from.
    """
    parameters = sum(variable.value.shape.num_elements() for variable in generator.network.trainable_variables)
    return string.Template(_TEMPLATE.read_text(encoding='utf-8')).substitute(
        name=name,
        what=f'{_KINDS[generator.kind]} by {origin.model}, {origin.steps:,} steps',
        package=f'stackgan_tf {stackgan_tf.__version__}',
        sizes=', '.join(map(str, generator.sizes)),
        parameters=f'{parameters:,}',
        asked=_ASKED[generator.kind].format(dimension=generator.embedding_dimension),
        embed=', `embed` (captions to vectors)' if generator.kind == 'text' else '',
        data=_data(origin),
        licence=origin.licence or 'Not stated. Ask whoever published this before you pass it on.',
        scores=_scores(origin.scores),
    )


def _data(origin: Origin) -> str:
    named = origin.data or 'a data set whose name the run did not keep'
    return f'{named}, {origin.pictures:,} pictures. Licence of the data: {origin.data_licence or "not known here"}.'


def _scores(report: Mapping[str, Any] | None) -> str:
    """A table of a report, with what its numbers depend on."""
    if report is None:
        return 'Not measured.'
    rows = []
    for name, score in report['metrics'].items():
        spread = '' if score['spread'] is None else f'{score["spread"]:.3f} ({score["spread_is"]})'
        rows.append(f'| {name} | {score["value"]:.3f} | {spread} | {score["count"]:,} | {score["protocol"]} |')
    return '\n'.join(['| score | value | spread | of | measured how |', '|---|---|---|---|---|', *rows])
