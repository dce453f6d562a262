"""Samples: models on the same conditions and seeds, at their largest scale or at every one.

With one model of v1, these are the paper's pairs of Stage-I and Stage-II; with several models, its comparisons; with
runs that were trained with and without color consistency, its figure of that loss.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from stackgan_tf.figures.labeled_grid import Row
from stackgan_tf.generator import Generator


def sample_rows(
    models: Mapping[str, tuple[Generator, np.ndarray | None]],
    conditions: Sequence[str],
    seeds: Sequence[int],
    every_size: bool = False,
) -> list[Row]:
    """A row for each condition, model and scale.

    Args:
        models: by name; each with the embeddings `[R, T]` of the conditions, None for an unconditional model.
        conditions: R captions or classes; empty for unconditional models.
        seeds: of the images in a row.
        every_size: whether there is a row for every scale.

    Returns:
        The rows of a `labeled_grid`.
    """
    rows: list[Row] = []
    for number, condition in enumerate(conditions or ['']):
        for name, (model, embeddings) in models.items():
            given = None if embeddings is None else np.repeat(embeddings[number][None], len(seeds), axis=0)
            images = model.generate_every_size(seeds, given)
            for size in model.sizes if every_size else model.sizes[-1:]:
                facts = [name] * (len(models) > 1) + [f'{size} pixels'] * every_size
                rows.append(('\n'.join([*filter(None, [condition]), *facts]) or 'noise alone', images[size]))
    return rows
