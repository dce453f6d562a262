"""Signs of failing adversarial training: one side far ahead for long, or images that become alike.

They come from the ticks of `metrics.jsonl`, so a resumed run includes the ticks before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stackgan_tf.metrics.diversity import mean_distance

LEAD = 'discriminator_lead'
DIVERSITY = 'sample_diversity'
LONG = 5  # ticks
_FAR_AHEAD, _BEHIND = 0.8, 0.02  # the discriminator's lead; about 0.3 where both sides learn
_ALIKE = 1 / 3  # of the most diverse samples so far


def leads(record: Mapping[str, float]) -> dict[str, float]:
    """The discriminator's confidence in real images minus that in generated ones, in [-1, 1], for each scale.

    Args:
        record: of a tick; confidences are means, see `confidences_of`.
    """
    found = {}
    for name, generated in record.items():
        if name.startswith('confidence_generated_'):
            size = name.removeprefix('confidence_generated_')
            real = record.get(f'confidence_real_{size}', record.get(f'confidence_match_{size}'))
            if real is not None:
                found[f'{LEAD}_{size}'] = real - generated
    return found


def sample_diversity(images: np.ndarray, conditional: bool) -> float:
    """The mean distance between two samples (of the same caption, if conditional), in gray levels.

    Args:
        images: uint8 `[N, s, s, 3]`, the largest that the model makes.
        conditional: whether they are in eight rows, each of one caption.
    """
    rows = np.split(images, 8) if conditional else [images]
    return float(np.mean([mean_distance(row) for row in rows]))


def _separates_pairs(ticks: Sequence[Mapping[str, Any]], size: str) -> bool:
    """Whether a discriminator separates matching from mismatched pairs, even if generated images look real to it."""
    pairs = [(tick.get(f'confidence_match_{size}'), tick.get(f'confidence_mismatch_{size}')) for tick in ticks]
    return all(match is not None and other is not None and match - other > _BEHIND for match, other in pairs)


def concerns(ticks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The concerns that last for `LONG` ticks, in words; empty if there are none.

    Args:
        ticks: of the whole run, with confidences, `leads` and `sample_diversity`.
    """
    last, found = ticks[-LONG:], []
    if len(last) < LONG:
        return []
    for name in last[-1]:
        if name.startswith(LEAD):
            values, size = [tick.get(name, 0.5) for tick in last], name.removeprefix(f'{LEAD}_')
            if min(values) > _FAR_AHEAD:
                found.append(f'discriminator {size} far ahead')
            elif max(values) < _BEHIND and not _separates_pairs(last, size):
                found.append(f'discriminator {size} sees no difference')
    diversities = [tick[DIVERSITY] for tick in ticks if DIVERSITY in tick]
    if len(diversities) > LONG and max(diversities[-LONG:]) < _ALIKE * max(diversities):
        found.append('samples become alike')
    return found
