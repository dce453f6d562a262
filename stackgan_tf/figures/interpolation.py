"""Interpolation: between two captions with fixed noise, and a walk through noise with a fixed caption."""

from collections.abc import Sequence

import numpy as np

from stackgan_tf.figures.labeled_grid import Row
from stackgan_tf.figures.latents import conditioning_noise_of, images_of_latents, noise_of
from stackgan_tf.generator import Generator


def caption_rows(model: Generator, embeddings: np.ndarray, seeds: Sequence[int], steps: int) -> list[Row]:
    """Images between two captions, from left to right.

    The first row has z = 0, as in the paper's figure of "sentence embedding interpolation", the next ones z of each
    seed. The conditioning noise is 0.

    Args:
        model: a conditional one.
        embeddings: of the two captions, `[2, T]`.
        seeds: of the further rows.
        steps: images in a row, at least 2.
    """
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    between = (1 - share) * embeddings[0] + share * embeddings[1]
    noise = noise_of(model, np.array(seeds))
    starts = [('noise 0, as in the paper', np.zeros_like(noise, shape=model.noise_dimension))]
    starts += [(f'noise of seed {seed}', z) for seed, z in zip(seeds, noise, strict=True)]
    return [(label, images_of_latents(model, np.repeat(z[None], steps, axis=0), between)) for label, z in starts]


def closed_walk(stops: np.ndarray, frames: int) -> np.ndarray:
    """Points on great arcs from each stop to the next, and from the last back to the first.

    Straight lines between normal vectors of many dimensions pass through shorter ones, which a generator has hardly
    seen; arcs keep the length.

    Args:
        stops: float32 `[K, Z]`, not zero.
        frames: between two stops.

    Returns:
        float32 `[K * frames, Z]`.
    """
    points = []
    for start, end in zip(stops, np.roll(stops, -1, axis=0), strict=True):
        lengths = np.linalg.norm(start), np.linalg.norm(end)
        cosine = np.clip(start @ end / (lengths[0] * lengths[1]), -1, 1)
        angle = np.arccos(cosine)
        for share in np.arange(frames) / frames:
            if np.sin(angle) < 1e-4:  # the same direction
                points.append((1 - share) * start + share * end)
                continue
            direction = np.sin((1 - share) * angle) * start / lengths[0] + np.sin(share * angle) * end / lengths[1]
            points.append(direction / np.sin(angle) * ((1 - share) * lengths[0] + share * lengths[1]))
    return np.asarray(points, np.float32)


def walk_images(model: Generator, embeddings: np.ndarray | None, seeds: Sequence[int], frames: int) -> np.ndarray:
    """The images of a walk through both noises of seeds, for every condition; it passes the images of the seeds.

    Args:
        model: of any kind.
        embeddings: of R conditions, `[R, T]`; None for an unconditional model.
        seeds: of the stops.
        frames: between two stops.

    Returns:
        uint8 `[F, R, s, s, 3]` with F = frames times seeds.
    """
    walk = closed_walk(noise_of(model, np.array(seeds)), frames)
    if embeddings is None:
        return images_of_latents(model, walk)[:, None]
    epsilon = closed_walk(conditioning_noise_of(model, np.array(seeds)), frames)
    rows = [np.repeat(each[None], len(walk), axis=0) for each in embeddings]
    return np.stack([images_of_latents(model, walk, given, epsilon) for given in rows], axis=1)
