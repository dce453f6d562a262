"""Mode coverage of generated images: the attributes that no condition determines, read by a classifier."""

import math

import numpy as np

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.caption_measures import (
    classifier_accuracies,
    enlarged,
    readable_sizes,
    with_protocol,
)
from stackgan_tf.evaluation.caption_sampling import sample_captions
from stackgan_tf.generator import Generator
from stackgan_tf.metrics.captured_modes import modes_captured, reverse_kl
from stackgan_tf.metrics.mode_coverage import entropy, mode_coverage, mode_divergence, value_shares
from stackgan_tf.metrics.score import Score, mean_score

COVERAGE_CAPTIONS = 64
COVERAGE_SEEDS = 32  # images per caption
_VARIES = 0.1  # nats: at most 98 % of the real images have one value


class AttributeCoverageObserver:
    """Predicts the attributes of images of a model without captions, and compares their distribution with real images.

    Args:
        generator: generates the images.
        reader: predicts the attributes of images.
        source: the real images, with attributes.

    Raises:
        UserError: all images are larger than the classifier's input, or the source lacks attributes.
    """

    def __init__(self, generator: Generator, reader: AttributeReader, source: ExampleSource) -> None:
        self._size = readable_sizes(generator, reader)[-1]
        reader.truth(source)
        self._reader = reader
        self._source = source
        self._predicted: list[np.ndarray] = []

    def add(self, images: dict[int, np.ndarray]) -> None:
        """Predicts the attributes of the next images; see `ImageObserver`."""
        self._predicted.append(self._reader.read(enlarged(images[self._size], self._reader.size)))

    def scores(self, images: str) -> dict[str, Score]:
        """The coverage of each attribute, the captured modes, and the accuracy of the classifier.

        Args:
            images: describes the observed images.

        Returns:
            `modes_captured` and `reverse_kl`, if the classifier reads each color channel by itself; `coverage_scores`;
            `classifier_accuracies`.
        """
        predicted = np.concatenate(self._predicted)
        protocol = f'{images}; {self._reader.title}'
        scores: dict[str, Score] = {}
        if modes := self._reader.modes:
            of_each = np.bincount(np.ravel_multi_index(tuple(predicted.T), modes), minlength=math.prod(modes))
            found = {'modes_captured': modes_captured(of_each), 'reverse_kl': reverse_kl(of_each)}
            scores = with_protocol(found, f'{protocol}; {len(of_each):,} modes: the combinations of the channels')
        everything = np.ones((1, predicted.shape[1]), bool)
        scores |= coverage_scores(predicted[None], everything, self._reader, self._source, protocol)
        return scores | classifier_accuracies(self._reader, self._source)


def caption_mode_coverage(
    generator: Generator, reader: AttributeReader, source: ExampleSource, seed: int
) -> dict[str, Score]:
    """Scores how much the attributes vary that a caption leaves open: the unnamed ones, and others for each caption.

    Args:
        generator: of kind text.
        reader: predicts the attributes of images.
        source: the captions, and the real images.
        seed: the seed of the captions, and of the first image; each image has another seed.

    Returns:
        See `coverage_scores`.

    Raises:
        UserError: all images are larger than the classifier's input, or the source lacks attributes.
    """
    sampled = sample_captions(source, COVERAGE_CAPTIONS, seed)
    size = readable_sizes(generator, reader)[-1]
    predicted = []
    for number, embedding in enumerate(generator.embed(list(sampled.texts))):
        first = seed + number * COVERAGE_SEEDS
        seeds = range(first, first + COVERAGE_SEEDS)
        images = generator.generate_every_size(seeds, embedding[None].repeat(COVERAGE_SEEDS, axis=0))[size]
        predicted.append(reader.read(enlarged(images, reader.size)))
    generated = f'{COVERAGE_SEEDS} images of each of {COVERAGE_CAPTIONS} captions of {source.title}'
    pixels = f'{size} pixels, seeds from {seed}'
    protocol = f'{generator.title}; {generated}, {pixels}; attributes that a caption leaves open, {reader.title}'
    left_open = ~reader.named(source)[sampled.rows]
    return coverage_scores(np.stack(predicted), left_open, reader, source, protocol)


def coverage_scores(
    predicted: np.ndarray, left_open: np.ndarray, reader: AttributeReader, source: ExampleSource, protocol: str
) -> dict[str, Score]:
    """The coverage of each attribute that any caption leaves open.

    Args:
        predicted: int `[C, S, A]`, the attributes of S images of each of C captions.
        left_open: bool `[C, A]`, the attributes that each caption does not name; the others do not count.
        reader: predicted them, and predicts those of the real images.
        source: the real images.
        protocol: describes the generated images.

    Returns:
        `mode_coverage_NAME`, of the images of one caption, and `mode_coverage_NAME_overall`, of the images of all
        captions together, if there are several, unless hardly any real images differ in it; `mode_divergence_NAME`; and
        `mode_coverage`, the mean over attributes, first.
    """
    real = reader.read_source(source)
    scores: dict[str, Score] = {}
    for number, name in enumerate(reader.names):
        values = predicted[left_open[:, number], :, number]
        if not len(values):
            continue
        choices = 1 + max(values.max(), real[:, number].max())
        shares = value_shares(real[:, number], choices)
        found = {f'mode_divergence_{name}': mode_divergence(values.ravel(), shares, len(real))}
        if entropy(shares) > _VARIES:
            overall = Score(mode_coverage(values.reshape(1, -1), shares).value, None, values.size)
            several = {f'mode_coverage_{name}': mode_coverage(values, shares), f'mode_coverage_{name}_overall': overall}
            found = (several if len(predicted) > 1 else {f'mode_coverage_{name}': overall}) | found
        shown = f'shares of {name} {_listed(value_shares(values.ravel(), choices))}, real {_listed(shares)}'
        against = f'against {len(real):,} real images ({source.title}, center crops)'
        scores |= with_protocol(found, f'{protocol}; {against}; {shown}')
    each = [scores[f'mode_coverage_{name}'] for name in reader.names if f'mode_coverage_{name}' in scores]
    if not each:
        return scores
    mean = mean_score(np.array([score.value for score in each]))
    return with_protocol({'mode_coverage': mean}, f'{protocol}; mean over attributes') | scores


def _listed(shares: np.ndarray) -> str:
    return ', '.join(f'{share:.3f}' for share in shares)
