"""One noise held fixed while the other varies, which shows what each of them decides."""

from collections.abc import Sequence

import numpy as np

from stackgan_tf.figures.labeled_grid import Row
from stackgan_tf.figures.latents import conditioning_noise_of, images_of_latents, noise_of
from stackgan_tf.generator import Generator
from stackgan_tf.system.errors import UserError


def fixed_noise_rows(
    model: Generator, conditions: Sequence[str], embeddings: np.ndarray | None, seeds: Sequence[int]
) -> list[Row]:
    """Two rows for each condition: z of the first seed with the conditioning noise of each, and the reverse.

    Args:
        model: a conditional one.
        conditions: R captions or classes.
        embeddings: of the conditions, `[R, T]`.
        seeds: of the noise in a row.

    Raises:
        UserError: the model is unconditional, so it has no conditioning noise.
    """
    if embeddings is None:
        raise UserError('an unconditional model has no conditioning noise: draw "samples" of it')
    z, epsilon = noise_of(model, np.array(seeds)), conditioning_noise_of(model, np.array(seeds))
    rows: list[Row] = []
    for condition, embedding in zip(conditions, embeddings, strict=True):
        given = np.repeat(embedding[None], len(seeds), axis=0)
        fixed_z, fixed_epsilon = (np.repeat(each[:1], len(seeds), axis=0) for each in (z, epsilon))
        rows.append((f'{condition}\nnoise fixed', images_of_latents(model, fixed_z, given, epsilon)))
        rows.append((f'{condition}\nconditioning noise fixed', images_of_latents(model, z, given, fixed_epsilon)))
    return rows
