"""Mode coverage of a model's images: which attributes count for which captions."""

import numpy as np
import pytest
from captioned import Captioned
from drawn_images import Painter

from stackgan_tf.evaluation.attribute_coverage import (
    COVERAGE_CAPTIONS,
    COVERAGE_SEEDS,
    AttributeCoverageObserver,
    caption_mode_coverage,
    coverage_scores,
)
from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.evaluate_model import evaluate_generator
from stackgan_tf.system.errors import UserError


class Reader(AttributeReader):
    """Reads the color of an image, whether it is bright above, and whether it is white."""

    names = ('color', 'bright', 'white')
    modes = ()
    size = 16
    fingerprint = 'eyes'

    def __init__(self):
        pass

    def read(self, images):
        mean = images.mean((1, 2))
        return np.stack([mean.argmax(1), images[:, 0, 0].mean(1) > 128, (mean > 250).all(1)], 1).astype(int)

    def read_source(self, source):
        return self.truth(source)


class Named(Captioned):
    """Captions name the color alone; half of the images are bright above, and none is white."""

    def attributes(self):
        return super().attributes()[:, :1]

    def caption_attributes(self):
        return np.ones((len(self.captions().texts), 1), bool)

    def unnamed_attributes(self):
        values = np.stack([np.arange(self.count) // 3 % 2, np.zeros(self.count, int)], 1)
        return np.stack([values, values], 1)


class Alike(Painter):
    """The images of a caption are those of its first seed."""

    def _images(self, seeds, embeddings):
        return super()._images(seeds // COVERAGE_SEEDS * COVERAGE_SEEDS, embeddings)


def test_only_captions_that_leave_an_attribute_open_count():
    source = Named(60)
    predicted = np.zeros((2, 4, 3), int)
    predicted[0, :, 0] = [0, 1, 0, 1]
    predicted[1, :, 1] = [0, 1, 0, 1]
    left_open = np.array([[True, False, True], [False, True, True]])
    scores = coverage_scores(predicted, left_open, Reader(), source, 'eight images')
    assert scores['mode_coverage_color'].count == scores['mode_coverage_bright'].count == 1
    assert scores['mode_coverage_color_overall'].count == 4
    assert scores['mode_coverage_bright'].value > 1
    assert scores['mode_coverage_bright'].protocol.endswith('shares of bright 0.500, 0.500, real 0.500, 0.500')
    assert 'against 60 real images (colored squares, center crops)' in scores['mode_coverage_color'].protocol
    # No real image is white: there is nothing to divide by, but a white image would diverge.
    assert 'mode_coverage_white' not in scores
    assert scores['mode_divergence_white'].value == 0
    both = [scores[f'mode_coverage_{name}'].value for name in ('color', 'bright')]
    assert scores['mode_coverage'].value == pytest.approx(np.mean(both))


def test_a_model_whose_images_of_a_caption_are_alike_varies_over_captions_alone():
    varied, alike = (
        caption_mode_coverage(painter, Reader(), Named(60), 0) for painter in (Painter(noise=200), Alike(noise=200))
    )
    assert varied['mode_coverage_bright'].value == pytest.approx(1, abs=0.2)
    assert alike['mode_coverage_bright'].value == 0
    assert alike['mode_coverage_bright_overall'].value == pytest.approx(1, abs=0.2)
    assert 'mode_coverage_color' not in varied
    shown = (
        f'{COVERAGE_SEEDS} images of each of {COVERAGE_CAPTIONS} captions of colored squares, 16 pixels, seeds from 0'
    )
    assert shown in varied['mode_coverage'].protocol


def test_data_without_an_attribute_of_the_classifier_are_refused():
    with pytest.raises(UserError, match='colored squares has no attributes white, which the classifier reads'):
        Reader().truth(Captioned(9))


def test_images_of_a_model_without_captions_are_one_distribution():
    observer = AttributeCoverageObserver(Painter('unconditional'), Reader(), Named(60))
    images = np.zeros((6, 16, 16, 3), np.uint8)
    images[np.arange(6), :, :, np.arange(6) % 3] = 200
    for part in (images[:4], images[4:]):
        observer.add({8: part[:, ::2, ::2], 16: part})
    scores = observer.scores('six images')
    assert scores['mode_coverage_color'].value > 1
    assert scores['mode_coverage_bright'].value == 0  # none is bright
    assert scores['mode_divergence_bright'].value == pytest.approx(np.log(2))
    assert scores['classifier_accuracy_color'].value == 1
    assert not {'mode_coverage_color_overall', 'modes_captured', 'reverse_kl'} & set(scores)


def test_an_unconditional_model_is_measured_by_a_classifier():
    found = evaluate_generator(Painter('unconditional', noise=200), 40, 0, source=Named(60), reader=Reader())
    assert found.scores['mode_coverage_bright'].value == pytest.approx(1, abs=0.2)
    assert found.scores['mode_coverage_bright'].count == 40
    assert '40 generated images of 16 pixels (the painter, seeds from 0)' in found.scores['mode_coverage'].protocol


def test_combinations_of_channels_are_modes():
    class Channels(Reader):
        modes = (3, 2, 2)

        def read(self, images):
            return np.array([[0, 0, 0], [2, 1, 1], [2, 1, 1], [2, 1, 0]])

    observer = AttributeCoverageObserver(Painter('unconditional'), Channels(), Named(60))
    observer.add({16: np.zeros((4, 16, 16, 3), np.uint8)})
    scores = observer.scores('four images')
    assert (scores['modes_captured'].value, scores['modes_captured'].count) == (3, 4)
    assert scores['reverse_kl'].value == pytest.approx(np.log(12) - 1.5 * np.log(2))
    assert scores['modes_captured'].protocol.endswith('12 modes: the combinations of the channels')
