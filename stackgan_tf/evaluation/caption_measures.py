"""Scores of images against their captions: caption consistency, diversity within a caption."""

import dataclasses

import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.caption_sampling import SampledCaptions
from stackgan_tf.evaluation.image_sources import SourceImages
from stackgan_tf.generator import Generator
from stackgan_tf.metrics.caption_consistency import caption_consistency
from stackgan_tf.metrics.diversity import diversity
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.errors import UserError

DIVERSITY_SEEDS = 100  # images per caption
DIVERSITY_CAPTIONS = 10


class CaptionConsistencyObserver:
    """Predicts the attributes of generated images, and compares them with the attributes that captions name.

    Images that are smaller than the classifier's input, such as those of Stage-I or of the tree's first scales, are
    enlarged.

    Args:
        generator: generates the images.
        reader: predicts the attributes of images.
        source: images with captions whose attributes are known; preferably of classes that the model was not trained
            on.
        sampled: the captions of the images.

    Raises:
        UserError: the source lacks captions or attributes, or all images are larger than the classifier's input.
    """

    def __init__(
        self, generator: Generator, reader: AttributeReader, source: ExampleSource, sampled: SampledCaptions
    ) -> None:
        self._sizes = readable_sizes(generator, reader)
        self._reader = reader
        self._source = source
        self._expected = reader.truth(source)[sampled.examples]
        self._named = reader.named(source)[sampled.rows]
        self._predicted: dict[int, list[np.ndarray]] = {size: [] for size in self._sizes}

    def add(self, images: dict[int, np.ndarray]) -> None:
        """Predicts the attributes of the next images; see `ImageObserver`."""
        for size, predicted in self._predicted.items():
            predicted.append(self._reader.read(enlarged(images[size], self._reader.size)))

    def scores(self, images: str) -> dict[str, Score]:
        """The consistency of images with their captions, and the accuracy of the classifier.

        Args:
            images: describes the observed images.

        Returns:
            `caption_consistency` of the largest size that is read, and that of each attribute;
            `caption_consistency_SIZEpx` of each smaller size; `classifier_accuracy_NAME` on the source's images.
        """
        scores: dict[str, Score] = {}
        for size in self._sizes:
            predicted = np.concatenate(self._predicted[size])
            found = caption_consistency(predicted, self._expected, self._named, self._reader.names)
            if size < self._sizes[-1]:
                found = {f'caption_consistency_{size}px': found['caption_consistency']}
            scores = with_protocol(found, f'{images}; attributes that captions name, {self._protocol(size)}') | scores
        return scores | classifier_accuracies(self._reader, self._source)

    def _protocol(self, size: int) -> str:
        larger = f', enlarged from {size}' if size < self._reader.size else ''
        return f'{self._reader.title}{larger}'


def caption_diversity(
    generator: Generator, source: ExampleSource, sampled: SampledCaptions, size: int, seed: int
) -> dict[str, Score]:
    """`diversity` of the first captions of different classes; empty if no class has images that differ.

    Args:
        generator: of kind text.
        source: the source of the captions.
        sampled: the captions.
        size: the size of the images, pixels.
        seed: the first seed of each caption's images, and the seed of the real images' crops.
    """
    _, first = np.unique(sampled.labels, return_index=True)
    real: dict[int, np.ndarray] = {}  # by caption, the real images of its class
    for caption in np.sort(first):
        examples = np.flatnonzero(source.labels() == sampled.labels[caption])
        if len(examples) == 1 or len(real) == DIVERSITY_CAPTIONS:
            continue
        images = np.concatenate(list(SourceImages(source, size, seed, examples).batches()))
        if np.any(images != images[0]):
            real[caption] = images
    if not real:
        return {}
    seeds = range(seed, seed + DIVERSITY_SEEDS)
    embeddings = generator.embed([sampled.texts[caption] for caption in real])
    generated = [
        generator.generate_every_size(seeds, embedding[None].repeat(DIVERSITY_SEEDS, axis=0))[size]
        for embedding in embeddings
    ]
    captions = f'{len(real)} captions of {source.title}'
    protocol = f'{generator.title}; {DIVERSITY_SEEDS} images of each of {captions}, {size} pixels, seeds from {seed}'
    return with_protocol({'diversity': diversity(generated, list(real.values()))}, protocol)


def classifier_accuracies(reader: AttributeReader, source: ExampleSource) -> dict[str, Score]:
    """`classifier_accuracy_NAME`, of each attribute on a source's images."""
    scores = {}
    for name, accuracy in reader.accuracies(source).items():
        error = float(np.sqrt(accuracy * (1 - accuracy) / source.count))
        protocol = f'center crops of real images ({source.title}); {reader.title}'
        scores[f'classifier_accuracy_{name}'] = Score(accuracy, error, source.count, protocol=protocol)
    return scores


def readable_sizes(generator: Generator, reader: AttributeReader) -> list[int]:
    """The sizes of a model's images that a classifier reads, small to large: those up to its input size.

    Raises:
        UserError: all images are larger.
    """
    if found := [size for size in generator.sizes if size <= reader.size]:
        return found
    sizes = ', '.join(map(str, generator.sizes))
    raise UserError(f'the classifier reads images of {reader.size} pixels, the model generates {sizes}')


def enlarged(images: np.ndarray, size: int) -> np.ndarray:
    """Enlarges images, uint8 `[N, s, s, 3]`, to `size` pixels by bilinear interpolation; unchanged at that size."""
    if images.shape[1] == size:
        return images
    larger = tf.image.resize(tf.cast(images, tf.float32), (size, size), tf.image.ResizeMethod.BILINEAR)
    return tf.cast(tf.round(larger), tf.uint8).numpy()


def with_protocol(scores: dict[str, Score], protocol: str) -> dict[str, Score]:
    """The scores with a protocol: one line on everything else that they depend on."""
    return {name: dataclasses.replace(score, protocol=protocol) for name, score in scores.items()}
