"""Scores of images against their captions by encoders of both: R-precision, CLIP score."""

import abc
import dataclasses

import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_pyramid import image_pyramid
from stackgan_tf.evaluation.caption_sampling import SampledCaptions
from stackgan_tf.evaluation.image_sources import SourceImages
from stackgan_tf.evaluation.resizing import small_copies
from stackgan_tf.evaluation.zero_shot import in_batches
from stackgan_tf.generator import Generator
from stackgan_tf.metrics.clip_score import clip_score
from stackgan_tf.metrics.r_precision import other_captions, r_precision
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.clip_encoder import ClipEncoder
from stackgan_tf.text.text_encoder import TextEncoder


class AlignmentObserver(abc.ABC):
    """Encodes generated images, and scores them against their captions.

    Args:
        generator: generates the images.
        encoder: a text encoder that was trained with images.
        source: the source of the captions.
        sampled: the captions of the images.
        seed: the seed of the sampled captions of other classes.
    """

    def __init__(
        self, generator: Generator, encoder: TextEncoder, source: ExampleSource, sampled: SampledCaptions, seed: int
    ) -> None:
        self._size = generator.sizes[-1]
        self._encoder = encoder
        self._encode_images = tf.function(encoder.encode_images, reduce_retracing=True)
        self._source = source
        self._sampled = sampled
        self._seed = seed
        self._encoded: list[np.ndarray] = []

    def add(self, images: dict[int, np.ndarray]) -> None:
        """Encodes the next images; see `ImageObserver`."""
        self._encoded.append(self._encode(images[self._size]))

    def scores(self, images: str) -> dict[str, Score]:
        """The scores, and the same of random crops of the real images of the same captions (`..._real`).

        Args:
            images: describes the observed images.
        """
        texts = in_batches(self._encoder, tf.constant(self._source.captions().texts, tf.string))
        real = SourceImages(self._source, self._size, self._seed, self._sampled.examples)
        measured = {
            '': (self._encoded, images),
            '_real': ([self._encode(part) for part in real.batches()], f'real images of those captions ({real.title})'),
        }
        return {
            f'{name}{suffix}': dataclasses.replace(score, protocol=f'{title}; {score.protocol}')
            for suffix, (parts, title) in measured.items()
            for name, score in self._measure(np.concatenate(parts), texts).items()
        }

    @abc.abstractmethod
    def _resized(self, images: np.ndarray) -> tf.Tensor:
        """Images as the encoder reads them: uint8 `[n, S, S, 3]` to float32 `[n, s, s, 3]` in [-1, 1]."""

    @abc.abstractmethod
    def _measure(self, images: np.ndarray, texts: np.ndarray) -> dict[str, Score]:
        """Scores of features `[N, T]` of images, by those `[R, T]` of all captions; with their part of the protocol."""

    def _encode(self, images: np.ndarray) -> np.ndarray:
        return in_batches(self._encode_images, self._resized(images))

    def _r_precision(self, images: np.ndarray, texts: np.ndarray, how: str) -> Score:
        """R-precision, with a protocol that ends with `how` features are computed."""
        caption_labels = np.repeat(self._source.labels(), self._source.captions().index.counts)
        others = other_captions(self._sampled.labels, caption_labels, self._seed)
        score = r_precision(images, texts[self._sampled.rows], texts, others)
        against = f'its caption against {others.shape[1]} of other classes, seed {self._seed}'
        return dataclasses.replace(score, protocol=f'{against}; {how}')


class RPrecisionObserver(AlignmentObserver):
    """Scores how often an image retrieves its caption, `r_precision`, by the encoder that a model was trained with.

    Raises:
        UserError: the encoder does not read images of that size.
    """

    def __init__(
        self, generator: Generator, encoder: TextEncoder, source: ExampleSource, sampled: SampledCaptions, seed: int
    ) -> None:
        super().__init__(generator, encoder, source, sampled, seed)
        if encoder.image_size is None or encoder.image_size > self._size:
            raise UserError(f'the text encoder cannot read images of {self._size} pixels: leave out --text_encoder')
        self._pyramid = [encoder.image_size]
        while self._pyramid[-1] < self._size:
            self._pyramid.append(2 * self._pyramid[-1])

    def _resized(self, images: np.ndarray) -> tf.Tensor:
        return image_pyramid(tf.constant(images), tf.zeros(len(images), tf.bool), self._pyramid)[0]

    def _measure(self, images: np.ndarray, texts: np.ndarray) -> dict[str, Score]:
        how = f'text encoder {self._encoder.fingerprint} at {self._encoder.image_size} pixels'
        return {'r_precision': self._r_precision(images, texts, how)}


class ClipObserver(AlignmentObserver):
    """Scores images against their captions by CLIP: `clip_score` and, with several classes, `clip_r_precision`."""

    _encoder: ClipEncoder

    def _resized(self, images: np.ndarray) -> tf.Tensor:
        assert self._encoder.image_size is not None
        return tf.cast(small_copies(images, self._encoder.image_size), tf.float32) / 127.5 - 1.0

    def _measure(self, images: np.ndarray, texts: np.ndarray) -> dict[str, Score]:
        clip = self._encoder
        how = (
            f'CLIP {clip.preset} (text weights {clip.fingerprint}, image weights {clip.image_hash}), antialiased '
            f'bicubic resize to {clip.image_size} pixels, captions without a prefix'
        )
        score = clip_score(images, texts[self._sampled.rows])
        scores = {'clip_score': dataclasses.replace(score, protocol=f'mean of max(100 cos, 0); {how}')}
        if len(np.unique(self._source.labels())) > 1:  # else there are no other captions
            scores['clip_r_precision'] = self._r_precision(images, texts, how)
        return scores
