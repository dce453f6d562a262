"""Figures of many generated images, whose conditions come from a data set; each with the note that describes it."""

import math
from typing import NamedTuple

import numpy as np

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.discriminator_features import discriminator_scores
from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.generated_images import CaptionConditions, GeneratedImages, condition_source_of
from stackgan_tf.evaluation.image_sources import SourceImages
from stackgan_tf.figures.drawn_text import note as drawn_note
from stackgan_tf.figures.failures import failure_figure
from stackgan_tf.figures.labeled_grid import labeled_grid
from stackgan_tf.figures.nearest_images import nearest, nearest_rows
from stackgan_tf.figures.tsne_map import NEARLY, NEIGHBORS, collapsed_share, map_image, snapped, tsne_points
from stackgan_tf.generator import Generator
from stackgan_tf.loading import load_adversaries
from stackgan_tf.system.errors import UserError

_MAP_WIDTH = 1000  # pixels
_FEWEST = 16  # images on a map


class Generated(NamedTuple):
    """Generated images.

    Attributes:
        images: of the largest scale, uint8 `[N, s, s, 3]`.
        conditions: their captions or classes; empty strings where there are no words.
        embeddings: float32 `[N, T]`; None for an unconditional model.
        title: everything that they depend on.
    """

    images: np.ndarray
    conditions: list[str]
    embeddings: np.ndarray | None
    title: str


def generate(model: Generator, source: ExampleSource | None, count: int, seed: int) -> Generated:
    """Generates images of the conditions of a data set, from seeds `seed`, `seed + 1`, ...

    Raises:
        UserError: the model needs a data set, or that has not the conditions of the model.
    """
    if source is None and model.kind != 'unconditional':
        raise UserError(f'{model.title} needs conditions: name the data set of its captions or classes with --data')
    conditions = condition_source_of(model, source, count, seed)
    generated = GeneratedImages(model, count, seed, conditions)
    images = np.concatenate(list(generated.batches()))
    embeddings = None if conditions is None else conditions.embeddings(slice(0, count))
    words = [''] * count
    if isinstance(conditions, CaptionConditions):
        words = [text.decode('utf-8', 'replace') for text in conditions.sampled.texts]
    elif embeddings is not None and model.kind == 'class':
        words = [model.class_names[label] for label in embeddings.argmax(axis=1)]
    return Generated(images, words, embeddings, generated.title)


def tsne_figure(
    model: Generator, source: ExampleSource | None, extractor: FeatureExtractor, count: int, seed: int
) -> tuple[np.ndarray, str]:
    """A t-SNE map, with the share of collapsed images.

    Raises:
        UserError: there are fewer than 16 images.
    """
    if count < _FEWEST:
        raise UserError(f'a map needs at least {_FEWEST} images, not {count}: add --images=5000')
    generated = generate(model, source, count, seed)
    points = tsne_points(_features(extractor, generated.images), seed)
    side = max(2, round(math.sqrt(count / 4)))
    cells = snapped(points, side)
    collapsed = collapsed_share(generated.images, points, seed)
    text = (
        f't-SNE of {count:,} images, {np.sum(cells >= 0):,} of them shown: {generated.title}. Features: '
        f'{extractor.title}. Collapsed: {100 * collapsed:.1f} % (nearly the same as each of their {NEIGHBORS} '
        f'neighbors: less than {NEARLY} of the difference of random pairs).'
    )
    drawn = map_image(generated.images, cells, max(8, _MAP_WIDTH // side))
    return np.concatenate([drawn, drawn_note(text, drawn.shape[1])]), text


def neighbor_figure(
    model: Generator,
    source: ExampleSource | None,
    training: ExampleSource,
    extractor: FeatureExtractor,
    count: int,
    candidates: int,
    neighbors: int,
    seed: int,
    tile: int,
) -> tuple[np.ndarray, str]:
    """Generated images and the nearest training images of each.

    Args:
        model: of any kind.
        source: of its conditions.
        training: the training images.
        extractor: of the features.
        count: rows.
        candidates: how many training images are compared; a random choice (of the seed) if there are more.
        neighbors: in a row.
        seed: the first seed.
        tile: the size of an image in the figure, pixels.
    """
    generated = generate(model, source, count, seed)
    candidates = min(candidates, training.count)
    chosen = np.sort(np.random.default_rng(seed).permutation(training.count)[:candidates])
    size = model.sizes[-1]
    crops = SourceImages(training, size, examples=chosen)
    features = np.concatenate([extractor(batch).features for batch in crops.batches()])
    found = nearest(_features(extractor, generated.images), features, min(neighbors, candidates))
    shown = SourceImages(training, size, examples=chosen[found].ravel())
    images = np.concatenate(list(shown.batches())).reshape(*found.shape, size, size, 3)
    labels = [f'{condition}\nseed {seed + row}' for row, condition in enumerate(generated.conditions)]
    text = (
        f'Left: generated, {generated.title}. Right: the nearest of {candidates:,} training images ({training.title}), '
        f'nearest first. Features: {extractor.title}.'
    )
    columns = ['generated', *(f'nearest {rank}' for rank in range(1, found.shape[1] + 1))]
    return labeled_grid(nearest_rows(labels, generated.images, images), columns, text, tile), text


def failures_of(
    model: Generator, where: str, source: ExampleSource | None, count: int, shown: int, seed: int, tile: int
) -> tuple[np.ndarray, str]:
    """The worst and the best images of a model by its own discriminator.

    Args:
        model: of a run or a preset.
        where: the run or the preset.
        source: of its conditions.
        count: images that are generated.
        shown: in each row.
        seed: the first seed.
        tile: the size of an image in the figure, pixels.

    Raises:
        UserError: the model has no discriminators, as exports.
    """
    generator, discriminators = load_adversaries(where)
    generated = generate(model, source, count, seed)
    scores = discriminator_scores(generator, discriminators[-1], generated.images, generated.embeddings)
    text = f'{generated.title}. The score is the sum of the logits of the discriminator of {model.sizes[-1]} pixels.'
    drawn = failure_figure(generated.images, generated.conditions, scores, min(shown, count), tile)
    return np.concatenate([drawn, drawn_note(text, drawn.shape[1])]), text


def _features(extractor: FeatureExtractor, images: np.ndarray) -> np.ndarray:
    batches = [images[first : first + 64] for first in range(0, len(images), 64)]
    return np.concatenate([extractor(batch).features for batch in batches])
