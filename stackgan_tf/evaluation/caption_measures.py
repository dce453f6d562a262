"""Whether pictures show what they were asked for: caption consistency, R-precision, the diversity of one caption."""

import dataclasses

import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_pyramid import image_pyramid
from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.caption_sampling import SampledCaptions
from stackgan_tf.evaluation.image_sources import SourceImages
from stackgan_tf.evaluation.zero_shot import in_batches
from stackgan_tf.generator import Generator
from stackgan_tf.metrics.caption_consistency import caption_consistency
from stackgan_tf.metrics.diversity import diversity
from stackgan_tf.metrics.r_precision import other_captions, r_precision
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.text_encoder import TextEncoder

DIVERSITY_SEEDS = 100  # pictures of a caption
DIVERSITY_CAPTIONS = 10


class ReadAttributes:
    """Reads attributes off pictures as they are drawn, and compares them with what captions name.

    Pictures of smaller sizes than the classifier's, such as those of Stage-I or of the tree's first scales, are read
    enlarged.

    Args:
        generator: of the pictures.
        reader: tells what is in pictures.
        source: pictures with captions, of which it is known what they name; best of classes the model never saw.
        drawn: the captions of the pictures.

    Raises:
        UserError: the source lacks something, or all pictures are larger than the classifier reads.
    """

    def __init__(
        self, generator: Generator, reader: AttributeReader, source: ExampleSource, drawn: SampledCaptions
    ) -> None:
        self._sizes = [size for size in generator.sizes if size <= reader.size]
        if not self._sizes:
            sizes = ', '.join(map(str, generator.sizes))
            raise UserError(f'the classifier reads pictures of {reader.size} pixels, the model makes {sizes}')
        self._reader = reader
        self._source = source
        self._asked = source.attributes()[drawn.examples]
        self._named = source.caption_attributes()[drawn.rows]
        self._read: dict[int, list[np.ndarray]] = {size: [] for size in self._sizes}

    def add(self, images: dict[int, np.ndarray]) -> None:
        """Reads the next pictures; see `ImageObserver`."""
        for size, read in self._read.items():
            read.append(self._reader.read(enlarged(images[size], self._reader.size)))

    def scores(self, pictures: str) -> dict[str, Score]:
        """What is drawn of what is told, and how far the classifier can be trusted.

        Args:
            pictures: what those were that it was shown.

        Returns:
            `caption_consistency` of the largest size that is read, and that of each attribute;
            `caption_consistency_SIZEpx` of each smaller size; `classifier_accuracy_NAME` on the source's pictures.
        """
        scores: dict[str, Score] = {}
        for size in self._sizes:
            found = caption_consistency(np.concatenate(self._read[size]), self._asked, self._named, self._reader.names)
            if size < self._sizes[-1]:
                found = {f'caption_consistency_{size}px': found['caption_consistency']}
            scores = with_protocol(found, f'{pictures}; what captions name, {self._judge(size)}') | scores
        for name, accuracy in self._reader.accuracies(self._source).items():
            error = float(np.sqrt(accuracy * (1 - accuracy) / self._source.count))
            protocol = f'centres of real pictures ({self._source.title}); {self._judge(self._reader.size)}'
            scores[f'classifier_accuracy_{name}'] = Score(accuracy, error, self._source.count, protocol=protocol)
        return scores

    def _judge(self, size: int) -> str:
        larger = f', enlarged from {size}' if size < self._reader.size else ''
        return f'read by the classifier {self._reader.fingerprint} at {self._reader.size} pixels{larger}'


class FoundCaptions:
    """Whether pictures find their captions, as they are drawn.

    Args:
        generator: of the pictures.
        encoder: was trained with pictures.
        source: of the captions.
        drawn: the captions of the pictures.
        seed: of the draw of other captions.

    Raises:
        UserError: the encoder reads no pictures of such a size.
    """

    def __init__(
        self, generator: Generator, encoder: TextEncoder, source: ExampleSource, drawn: SampledCaptions, seed: int
    ) -> None:
        self._size = generator.sizes[-1]
        if encoder.image_size is None or encoder.image_size > self._size:
            raise UserError(f'the text encoder cannot read pictures of {self._size} pixels: leave out --text_encoder')
        self._encoder = encoder
        self._encode_images = tf.function(encoder.encode_images, reduce_retracing=True)
        self._source = source
        self._drawn = drawn
        self._seed = seed
        self._pyramid = [encoder.image_size]
        while self._pyramid[-1] < self._size:
            self._pyramid.append(2 * self._pyramid[-1])
        self._encoded: list[np.ndarray] = []

    def add(self, images: dict[int, np.ndarray]) -> None:
        """Encodes the next pictures; see `ImageObserver`."""
        self._encoded.append(self._encode(images[self._size]))

    def scores(self, pictures: str) -> dict[str, Score]:
        """`r_precision`, and `r_precision_real` of random crops of the pictures whose captions they are.

        Args:
            pictures: what those were that it was shown.
        """
        captions = self._source.captions()
        texts = in_batches(self._encoder, tf.constant(captions.texts, tf.string))
        caption_labels = np.repeat(self._source.labels(), captions.choices.counts)
        others = other_captions(self._drawn.labels, caption_labels, self._seed)
        real = SourceImages(self._source, self._size, self._seed, self._drawn.examples)
        encoded = {'r_precision': self._encoded, 'r_precision_real': [self._encode(part) for part in real.batches()]}
        own = texts[self._drawn.rows]
        scores = {name: r_precision(np.concatenate(parts), own, texts, others) for name, parts in encoded.items()}
        by = (
            f'its caption against {others.shape[1]} of other classes, seed {self._seed}; text encoder '
            f'{self._encoder.fingerprint} at {self._encoder.image_size} pixels'
        )
        shown = {'r_precision': pictures, 'r_precision_real': f'real pictures of those captions ({real.title})'}
        return {name: dataclasses.replace(score, protocol=f'{shown[name]}; {by}') for name, score in scores.items()}

    def _encode(self, images: np.ndarray) -> np.ndarray:
        small = image_pyramid(tf.constant(images), tf.zeros(len(images), tf.bool), self._pyramid)[0]
        return in_batches(self._encode_images, small)


def caption_diversity(
    generator: Generator, source: ExampleSource, drawn: SampledCaptions, size: int, seed: int
) -> dict[str, Score]:
    """`diversity` of the first captions of different classes; nothing if none has pictures that differ.

    Args:
        generator: of kind text.
        source: of the captions.
        drawn: captions.
        size: of the pictures, pixels.
        seed: the first of each caption's pictures, and of the real pictures' crops.
    """
    _, first = np.unique(drawn.labels, return_index=True)
    real: dict[int, np.ndarray] = {}  # of captions, the pictures of their classes
    for caption in np.sort(first):
        examples = np.flatnonzero(source.labels() == drawn.labels[caption])
        if len(examples) == 1 or len(real) == DIVERSITY_CAPTIONS:
            continue
        pictures = np.concatenate(list(SourceImages(source, size, seed, examples).batches()))
        if np.any(pictures != pictures[0]):
            real[caption] = pictures
    if not real:
        return {}
    seeds = range(seed, seed + DIVERSITY_SEEDS)
    told = generator.embed([drawn.texts[caption] for caption in real])
    made = [generator.generate_every_size(seeds, of[None].repeat(DIVERSITY_SEEDS, axis=0))[size] for of in told]
    captions = f'{len(real)} captions of {source.title}'
    protocol = f'{generator.title}; {DIVERSITY_SEEDS} pictures of each of {captions}, {size} pixels, seeds from {seed}'
    return with_protocol({'diversity': diversity(made, list(real.values()))}, protocol)


def enlarged(images: np.ndarray, size: int) -> np.ndarray:
    """Images, uint8 `[N, s, s, 3]`, made `size` pixels by bilinear interpolation; as they are, if they have that."""
    if images.shape[1] == size:
        return images
    larger = tf.image.resize(tf.cast(images, tf.float32), (size, size), tf.image.ResizeMethod.BILINEAR)
    return tf.cast(tf.round(larger), tf.uint8).numpy()


def with_protocol(scores: dict[str, Score], protocol: str) -> dict[str, Score]:
    """The scores with a line on what else they depend on."""
    return {name: dataclasses.replace(score, protocol=protocol) for name, score in scores.items()}
