"""The species of painted birds: 200 attribute sets. Models are trained on 150, chosen on 30, and scored on 20."""

import functools
import random
from typing import NamedTuple

COLORS: dict[str, tuple[int, int, int]] = {
    'red': (214, 34, 34),
    'orange': (242, 130, 30),
    'yellow': (246, 214, 44),
    'green': (44, 150, 66),
    'blue': (46, 88, 214),
    'brown': (132, 84, 46),
    'black': (28, 26, 32),
    'white': (244, 242, 238),
}
BEAKS = ('short', 'long')
ATTRIBUTES = ('body', 'belly', 'wing', 'crown', 'beak')
TRAINING_SPECIES = 150
VALIDATION_SPECIES = 30  # to choose settings and checkpoints
TEST_SPECIES = 20  # to report, and for nothing else
SEED = 1710


class Species(NamedTuple):
    """One attribute set: four color names and the length of the beak."""

    body: str
    belly: str
    wing: str
    crown: str
    beak: str

    def indices(self) -> tuple[int, ...]:
        """The attributes as numbers, in the order of `ATTRIBUTES`: colors 0..7, beak 0 (short) or 1 (long)."""
        colors = list(COLORS)
        return (*(colors.index(color) for color in self[:4]), BEAKS.index(self.beak))


@functools.cache
def all_species() -> tuple[Species, ...]:
    """The 200 species, always the same.

    The four colors of a species differ, so that each part is visible; bodies take the colors in turn.
    """
    rng = random.Random(SEED)
    colors = list(COLORS)
    found: dict[Species, None] = {}
    while len(found) < TRAINING_SPECIES + VALIDATION_SPECIES + TEST_SPECIES:
        found.setdefault(_draw(colors[len(found) % len(colors)], rng))
    return tuple(found)


def draw_attributes(rng: random.Random) -> Species:
    """Any attribute set but those of the 50 species that models are not trained on."""
    while (drawn := _draw(rng.choice(list(COLORS)), rng)) in all_species()[TRAINING_SPECIES:]:
        pass
    return drawn


def _draw(body: str, rng: random.Random) -> Species:
    others = [color for color in COLORS if color != body]
    rng.shuffle(others)
    return Species(body, others[0], others[1], others[2], rng.choice(BEAKS))
