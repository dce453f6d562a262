"""Captions of painted birds in the manner of those that people wrote for CUB."""

import random
from collections.abc import Callable
from typing import NamedTuple

from stackgan_tf.data.painted_birds.species import ATTRIBUTES, Species

CAPTIONS_PER_IMAGE = 10

_OPENINGS = ('this bird', 'this small bird', 'the bird', 'a small bird', 'this is a bird that', 'this little bird')
_PARTS: dict[str, tuple[Callable[[Species], str], ...]] = {
    'body': (lambda s: f'a {s.body} body', lambda s: f'{s.body} feathers on its back'),
    'belly': (lambda s: f'a {s.belly} belly', lambda s: f'a {s.belly} breast'),
    'wing': (lambda s: f'{s.wing} wings', lambda s: f'a {s.wing} wing and tail'),
    'crown': (lambda s: f'a {s.crown} crown', lambda s: f'a {s.crown} cap on its head'),
    'beak': (lambda s: f'a {s.beak} beak', lambda s: f'a {s.beak} pointed bill'),
}


class Caption(NamedTuple):
    """A caption, and whether it names each of `ATTRIBUTES`."""

    text: str
    names: tuple[bool, ...]


def _join(phrases: list[str]) -> str:
    return phrases[0] if len(phrases) == 1 else ', '.join(phrases[:-1]) + ' and ' + phrases[-1]


def _caption(species: Species, rng: random.Random, parts: list[str]) -> Caption:
    names = tuple(attribute in parts for attribute in ATTRIBUTES)
    if parts[0] == 'body' and rng.random() < 0.7:
        size = rng.choice(('', 'small ', 'little '))
        start = rng.choice((f'this {size}{species.body} bird has', f'a {size}{species.body} bird with'))
        parts = parts[1:]
    else:
        start = f'{rng.choice(_OPENINGS)} has'
    return Caption(f'{start} {_join([rng.choice(_PARTS[part])(species) for part in parts])}', names)


def captions(species: Species, rng: random.Random) -> list[Caption]:
    """Ten captions: the first names every part, the others three to five parts in any order, as people do."""
    result = [_caption(species, rng, ['body', 'crown', 'belly', 'wing', 'beak'])]
    while len(result) < CAPTIONS_PER_IMAGE:
        result.append(_caption(species, rng, rng.sample(list(_PARTS), rng.randint(3, 5))))
    return result
