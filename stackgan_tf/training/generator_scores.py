"""Scores of a generator during training: of few images, in seconds; they compare steps of one run only."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import tensorflow as tf

from stackgan_tf.data.captioned_examples import examples_with_condition
from stackgan_tf.data.embeddings import Embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.evaluate_model import Reference
from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.generated_images import ConditionSource, GeneratedImages
from stackgan_tf.evaluation.image_sources import SourceImages
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import AtLeast, OneOf, Seed
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.text_encoders import embeddings_for

NAMES = ('fid', 'kid', 'precision', 'recall', 'density', 'coverage', 'inception_score', 'ms_ssim')
_SUBSETS = 10  # of KID
_FALLING = ('fid', 'kid', 'ms_ssim')  # the lower the better


class GeneratorScores:
    """Scores a phase's generator at each checkpoint, against its test data, or its training data without any.

    Args:
        features: makes the feature extractor.
        count: number of images; part of the names of the scores.
        best: of `NAMES`, the score whose best checkpoint is kept; '' keeps none.
        seed: of captions and images, the same at each checkpoint.
    """

    def __init__(
        self,
        features: Callable[[], FeatureExtractor],
        count: Annotated[int, AtLeast(2)] = 500,
        best: Annotated[str, OneOf(('',), NAMES)] = 'fid',
        seed: Seed = 0,
    ) -> None:
        self._extractor = features()
        self.count = count
        self.seed = seed
        self.best = f'{best}_{count}' if best else ''
        self.falls = best in _FALLING

    def prepare(self, phase: Phase, model: AdversarialModel, source: ExampleSource, directory: Path) -> None:
        """Extracts the features of the reference images.

        Args:
            phase: at work.
            model: of it.
            source: the real images and the examples that the generator is conditioned on.
            directory: of the run.

        Raises:
            UserError: the source lacks the condition, or the extractor the chosen score.
        """
        embeddings = embeddings_for(phase, model, source, directory)
        condition = None if embeddings is None else _EmbeddingConditions(embeddings, source, self.count, self.seed)
        generator = NetworkGenerator(model.generator_ema)
        self._image_source = GeneratedImages(generator, self.count, self.seed, condition)
        images = SourceImages(source, generator.sizes[-1])
        self._reference = Reference(images, self._extractor, self.seed)
        # The recipe's fault shows before anything is trained.
        if self._reference.statistics.inception is None and self.best.startswith('inception_score'):
            raise UserError(f'{self._extractor.name} knows no classes: choose another GeneratorScores.best')

    def scores(self) -> dict[str, float]:
        """The scores of the averaged generator as it is now, by name: `fid_500`, ..."""
        scores = self._reference.scores(self._image_source, _SUBSETS)
        return {f'{name}_{self.count}': scores[name].value for name in NAMES if name in scores}

    def is_better(self, value: float, than: float) -> bool:
        """Whether a value of the chosen score is better than another."""
        return value < than if self.falls else value > than


class _EmbeddingConditions(ConditionSource):
    """Embeddings of a data set's examples that have a condition, in random order."""

    def __init__(self, embeddings: Embeddings, source: ExampleSource, count: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._embeddings = embeddings
        examples = examples_with_condition(embeddings.missing, source.count)
        order = rng.permutation(max(count, len(examples)))[:count] % len(examples)
        self._indices = tf.constant(examples[order], tf.int64)
        self._draws = tf.constant(rng.random(count, np.float32))
        self.title = source.title

    def embeddings(self, rows: slice) -> np.ndarray:
        """See `ConditionSource`."""
        return self._embeddings.drawn(self._indices[rows], self._draws[rows]).numpy()


def generator_scores(
    phase: Phase,
    model: TrainedModel,
    source: ExampleSource,
    test_source: ExampleSource | None,
    directory: Path,
) -> GeneratorScores | None:
    """The scores of a phase's generator; None if the recipe asks for none.

    Raises:
        UserError: the phase trains no generator, or `Phase.scores` is something else.
    """
    if phase.scores is None:
        return None
    if not isinstance(model, AdversarialModel):
        raise UserError(f'{phase.name} trains no generator: leave out {phase.name}/Phase.scores')
    scored = phase.scores()
    if not isinstance(scored, GeneratorScores):
        raise UserError(f'{phase.name}/Phase.scores must be @GeneratorScores')
    scored.prepare(phase, model, test_source or source, directory)
    return scored
