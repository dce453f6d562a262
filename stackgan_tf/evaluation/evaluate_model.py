"""Measures a model by every score for which there is a reference, a classifier or an encoder, in one pass."""

import dataclasses
import functools

import numpy as np
from tqdm import tqdm

from stackgan_tf.data.captioned_examples import CaptionedExamples
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.alignment_measures import AlignmentObserver, ClipObserver, RPrecisionObserver
from stackgan_tf.evaluation.attribute_coverage import AttributeCoverageObserver, caption_mode_coverage
from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.caption_measures import CaptionConsistencyObserver, caption_diversity
from stackgan_tf.evaluation.distribution_scores import check_comparable, distribution_scores
from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.generated_images import CaptionConditions, GeneratedImages, condition_source_of
from stackgan_tf.evaluation.image_sources import ImageSource
from stackgan_tf.evaluation.image_statistics import ImageStatistics, image_statistics
from stackgan_tf.evaluation.reference_cache import reference_statistics
from stackgan_tf.generator import Generator
from stackgan_tf.metrics.kid import SUBSETS
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.clip_encoder import ClipEncoder
from stackgan_tf.text.text_encoder import TextEncoder


@dataclasses.dataclass(frozen=True)
class Reference:
    """Real images, and the settings by which generated images are compared with them.

    Attributes:
        images: the real images.
        extractor: the feature extractor.
        seed: the seed of every random choice.
        small: whether copies of 64 pixels are compared too.
    """

    images: ImageSource
    extractor: FeatureExtractor
    seed: int = 0
    small: bool = False

    @functools.cached_property
    def statistics(self) -> ImageStatistics:
        """The statistics of the real images, measured or from the cache."""
        return reference_statistics(self.images, self.extractor, self.seed, self.small)

    def scores(self, generated: ImageSource, subsets: int = SUBSETS) -> dict[str, Score]:
        """Scores of generated images against the reference; see `distribution_scores`."""
        real = self.statistics
        fake = image_statistics(generated, self.extractor, self.seed, self.small, 'Measuring the images')
        return distribution_scores(self.images, real, generated, fake, self.extractor, self.seed, subsets)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """The result of an evaluation.

    Attributes:
        scores: by name.
        warnings: reasons why some scores may mislead, for people.
    """

    scores: dict[str, Score]
    warnings: list[str]


def evaluate_images(images: ImageSource, reference: Reference) -> Measurement:
    """Measures existing images.

    Raises:
        UserError: they cannot be compared with the reference.
    """
    warnings = check_comparable(reference.images, images)
    return Measurement(reference.scores(images), warnings)


def evaluate_generator(
    generator: Generator,
    count: int,
    seed: int,
    reference: Reference | None = None,
    source: ExampleSource | None = None,
    reader: AttributeReader | None = None,
    encoder: TextEncoder | None = None,
    clip: ClipEncoder | None = None,
) -> Measurement:
    """Measures the images that a model generates.

    Args:
        generator: the model.
        count: number of images.
        seed: the seed of every random draw; image i has the model's seed `seed + i`.
        reference: the real images that they are compared with.
        source: where conditions come from: captions (examples without captions are left out), classes or stored
            embeddings.
        reader: predicts attributes: those that captions name, and how the others vary.
        encoder: for R-precision, a text encoder that was trained with images.
        clip: for CLIP score and R-precision by CLIP, with its image tower.

    Raises:
        UserError: the model cannot be measured by these.
    """
    if generator.kind == 'text' and source is not None and source.captions().missing.any():
        source = CaptionedExamples(source)
    conditions = condition_source_of(generator, source, count, seed)
    observers: list[CaptionConsistencyObserver | AlignmentObserver | AttributeCoverageObserver] = []
    if isinstance(conditions, CaptionConditions) and source is not None:
        if reader is not None:
            observers.append(CaptionConsistencyObserver(generator, reader, source, conditions.sampled))
        if encoder is not None and len(np.unique(source.labels())) > 1:  # else there are no other captions
            observers.append(RPrecisionObserver(generator, encoder, source, conditions.sampled, seed))
        if clip is not None:
            observers.append(ClipObserver(generator, clip, source, conditions.sampled, seed))
    elif clip is not None:
        raise UserError('--clip scores images against captions, which this model does not read: leave out --clip')
    elif reader is not None and source is not None:
        observers.append(AttributeCoverageObserver(generator, reader, source))
    generated = GeneratedImages(generator, count, seed, conditions, observers)
    warnings = check_comparable(reference.images, generated) if reference is not None else []
    if isinstance(conditions, CaptionConditions):
        warnings += generator.caption_warnings(conditions.sampled.texts.tolist())
    scores = reference.scores(generated) if reference is not None else _generate_only(generated)
    for observer in observers:
        scores |= observer.scores(generated.described('generated'))
    if isinstance(conditions, CaptionConditions) and source is not None:
        if reader is not None:
            scores |= caption_mode_coverage(generator, reader, source, seed)
        scores |= caption_diversity(generator, source, conditions.sampled, generated.size, seed)
    return Measurement(scores, warnings)


def _generate_only(generated: ImageSource) -> dict[str, Score]:
    """Generates the images for their observers alone; there are no scores against a reference."""
    with tqdm(total=generated.count, unit=' images', desc='Generating', mininterval=1, leave=False) as bar:
        for images in generated.batches():
            bar.update(len(images))
    return {}
