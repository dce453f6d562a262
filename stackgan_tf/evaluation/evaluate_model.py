"""Everything that can be measured of a model by what is at hand, with one pass over its pictures."""

import dataclasses
import functools

import numpy as np
from tqdm import tqdm

from stackgan_tf.data.captioned_examples import CaptionedExamples
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.caption_measures import FoundCaptions, ReadAttributes, caption_diversity
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
from stackgan_tf.text.text_encoder import TextEncoder


@dataclasses.dataclass(frozen=True)
class Reference:
    """Real pictures, and how others are compared with them.

    Attributes:
        pictures: the pictures.
        network: by whose features.
        seed: of what is chosen at random.
        small: whether copies of 64 pixels are compared too.
    """

    pictures: ImageSource
    network: FeatureExtractor
    seed: int = 0
    small: bool = False

    @functools.cached_property
    def statistics(self) -> ImageStatistics:
        """Of the pictures, measured or from the cache."""
        return reference_statistics(self.pictures, self.network, self.seed, self.small)

    def scores(self, pictures: ImageSource, subsets: int = SUBSETS) -> dict[str, Score]:
        """Scores of pictures against these; see `distribution_scores`."""
        real = self.statistics
        made = image_statistics(pictures, self.network, self.seed, self.small, 'Measuring the pictures')
        return distribution_scores(self.pictures, real, pictures, made, self.network, self.seed, subsets)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What came out.

    Attributes:
        scores: by name.
        warnings: why some of them may mislead.
    """

    scores: dict[str, Score]
    warnings: list[str]


def evaluate_images(pictures: ImageSource, reference: Reference) -> Measurement:
    """Measures pictures that are there already.

    Raises:
        UserError: they cannot be compared.
    """
    warnings = check_comparable(reference.pictures, pictures)
    return Measurement(reference.scores(pictures), warnings)


def evaluate_generator(
    generator: Generator,
    count: int,
    seed: int,
    reference: Reference | None = None,
    source: ExampleSource | None = None,
    reader: AttributeReader | None = None,
    encoder: TextEncoder | None = None,
) -> Measurement:
    """Measures what a model draws.

    Args:
        generator: the model.
        count: how many pictures.
        seed: of everything that is drawn; picture i has the model's seed `seed + i`.
        reference: what they are compared with.
        source: what the model is told of: captions (examples without any are left out), classes or stored embeddings.
        reader: reads off pictures what captions name.
        encoder: for R-precision: one that was trained with pictures.

    Raises:
        UserError: something is lacking, or does not fit together.
    """
    if reader is not None and generator.kind != 'text':
        raise UserError(f'this model is {generator.kind}: only models that read captions can be measured by them')
    if generator.kind == 'text' and source is not None and source.captions().missing.any():
        source = CaptionedExamples(source)
    told = condition_source_of(generator, source, count, seed)
    watchers: list[ReadAttributes | FoundCaptions] = []
    if isinstance(told, CaptionConditions) and source is not None:
        if reader is not None:
            watchers.append(ReadAttributes(generator, reader, source, told.drawn))
        if encoder is not None and len(np.unique(source.labels())) > 1:  # else there are no other captions
            watchers.append(FoundCaptions(generator, encoder, source, told.drawn, seed))
    pictures = GeneratedImages(generator, count, seed, told, watchers)
    warnings = check_comparable(reference.pictures, pictures) if reference is not None else []
    scores = reference.scores(pictures) if reference is not None else _drawn_only(pictures)
    for watcher in watchers:
        scores |= watcher.scores(pictures.described('generated'))
    if isinstance(told, CaptionConditions) and source is not None:
        scores |= caption_diversity(generator, source, told.drawn, pictures.size, seed)
    return Measurement(scores, warnings)


def _drawn_only(pictures: ImageSource) -> dict[str, Score]:
    """Draws pictures for those that watch."""
    with tqdm(total=pictures.count, unit=' pictures', desc='Drawing', mininterval=1, leave=False) as bar:
        for images in pictures.batches():
            bar.update(len(images))
    return {}
