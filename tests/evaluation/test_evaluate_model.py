"""A model measured by all scores at once, with errors and warnings."""

import numpy as np
import pytest
from captioned import Gappy, WordEncoder
from drawn_images import Given, Painter, Speckled, noise
from feature_extractors import MeanColours

from stackgan_tf.data.captions import Captions
from stackgan_tf.evaluation.evaluate_model import Reference, evaluate_generator, evaluate_images
from stackgan_tf.evaluation.image_sources import SourceImages
from stackgan_tf.evaluation.report import report, table
from stackgan_tf.metrics.score import Score
from stackgan_tf.system.errors import UserError

SOURCE = Speckled(60)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path))


class Embeddings(Speckled):
    def stored_embeddings(self):
        return [np.full((2, 4), i % 2, np.float32) for i in range(self.count)]


def reference(size=16, source=SOURCE):
    return Reference(SourceImages(source, size), MeanColours())


def test_a_text_model_is_measured_on_captions_of_the_reference():
    found = evaluate_generator(Painter(), 90, 0, reference(), SOURCE, encoder=WordEncoder())
    assert {'fid', 'kid', 'precision', 'inception_score', 'ms_ssim', 'r_precision', 'diversity'} <= set(found.scores)
    assert found.scores['fid'].count == 90
    assert f'captions of {SOURCE.title}, one of each image, seeds from 0' in found.scores['fid'].protocol
    # The painter follows its condition: images retrieve their captions, and all three colors occur.
    assert found.scores['r_precision'].value == 1
    assert found.scores['inception_score'].value > 2
    assert all(score.protocol for score in found.scores.values())


def test_images_without_captions_are_left_out():
    class Gaps(Gappy, Speckled):
        pass

    painter = Painter()
    painter.embed = lambda what: captions.extend(what) or Painter.embed(painter, what)
    captions = []
    found = evaluate_generator(painter, 90, 0, reference(), Gaps(60), encoder=WordEncoder())
    assert len(captions) >= 90
    assert {bytes(text).split()[0] for text in captions} == {b'red', b'blue'}
    assert found.scores['r_precision'].value == found.scores['r_precision_real'].value == 1


def test_captions_that_the_model_does_not_read_whole_are_a_warning():
    class Wordy(Speckled):
        def captions(self):
            return Captions(f'{name} '.ljust(203, 'x') + name for name in ['red', 'green', 'blue'] * 20)

    painter = Painter()
    warning = 'The text encoder does not read all: 9 of 9 captions are longer than 201 characters'
    assert warning not in evaluate_generator(painter, 9, 0, reference(), Wordy(60)).warnings
    painter.alphabet = 'ascii'
    assert warning in evaluate_generator(painter, 9, 0, reference(), Wordy(60)).warnings


def test_there_is_no_r_precision_with_a_single_class():
    class Alike(Speckled):
        def labels(self):
            return np.zeros(self.count, np.int32)

    found = evaluate_generator(Painter(), 20, 0, reference(), Alike(60), encoder=WordEncoder())
    assert 'r_precision' not in found.scores
    assert 'fid' in found.scores


class WordClip(WordEncoder):
    """An encoder of images of 24 pixels, more than the painter has, in the place of CLIP."""

    preset, image_hash, image_size = 'word_clip', 'colors', 24

    def encode_images(self, images):
        assert images.shape[1:] == (24, 24, 3)
        return super().encode_images(images)


def test_clip_scores_images_of_any_size():
    found = evaluate_generator(Painter(noise=0), 30, 0, None, SOURCE, clip=WordClip()).scores
    # The mean of a painted image is 215 in its color, 40 in the others.
    mean = np.array([215, 40, 40]) / 127.5 - 1
    assert found['clip_score'].value == pytest.approx(100 * mean[0] / np.linalg.norm(mean), abs=1e-3)
    assert found['clip_r_precision'].value == found['clip_r_precision_real'].value == 1
    assert 'r_precision' not in found
    assert 0 < found['clip_score_real'].value < 100
    for part in ('30 generated images', 'max(100 cos, 0)', 'CLIP word_clip (text weights words, image weights colors)'):
        assert part in found['clip_score'].protocol
    for part in ('against 99 of other', 'seed 0', 'antialiased bicubic resize to 24 pixels'):
        assert part in found['clip_r_precision'].protocol


def test_clip_needs_captions_and_for_r_precision_those_of_other_classes():
    class Alike(Speckled):
        def labels(self):
            return np.zeros(self.count, np.int32)

    found = evaluate_generator(Painter(), 9, 0, None, Alike(60), clip=WordClip()).scores
    assert 'clip_score' in found
    assert 'clip_r_precision' not in found
    with pytest.raises(UserError, match='this model does not read: leave out --clip'):
        evaluate_generator(Painter('class'), 9, 0, None, SOURCE, clip=WordClip())


def test_two_runs_agree_and_another_seed_does_not():
    first, second = (evaluate_generator(Painter(), 70, 0, reference(), SOURCE) for _ in range(2))
    assert table(first) == table(second)
    assert first.scores == second.scores
    assert evaluate_generator(Painter(), 70, 1, reference(), SOURCE).scores['fid'] != first.scores['fid']


def test_every_image_is_drawn_once():
    painter = Painter('unconditional')
    evaluate_generator(painter, 70, 0, reference())
    assert painter.drawn == 70


@pytest.mark.parametrize(
    ('kind', 'source'), [('class', SOURCE), ('embedding', Embeddings(60)), ('unconditional', None)]
)
def test_other_kinds_of_models(kind, source):
    found = evaluate_generator(Painter(kind), 40, 0, reference(), source)
    assert np.isfinite(found.scores['fid'].value)
    assert 'diversity' not in found.scores


@pytest.mark.parametrize(
    ('kind', 'source', 'message'),
    [
        ('text', None, 'this model generates from captions: name a captioned data set'),
        ('class', None, 'needs classes of a data set: name one'),
        ('embedding', Speckled(3), None),
    ],
)
def test_missing_conditions_are_refused(kind, source, message):
    painter = Painter(kind)
    if message is None:
        painter.embedding_dimension, message = 5, 'embeddings of 4 numbers, this model reads 5'
    with pytest.raises(UserError, match=message):
        evaluate_generator(painter, 9, 0, reference(), source)


def test_other_classes_than_those_of_the_model_are_refused():
    class Other(Speckled):
        class_names = ('one', 'two', 'three')

    with pytest.raises(UserError, match='has other classes'):
        evaluate_generator(Painter('class'), 9, 0, reference(), Other(9))


def test_images_of_another_size_than_the_reference_are_refused():
    with pytest.raises(UserError, match=r'the generated images have 16 pixels, the reference .* 8'):
        evaluate_generator(Painter(), 9, 0, reference(8), SOURCE)


def test_few_images_and_augmented_references_give_warnings():
    cropped = Reference(SourceImages(SOURCE, 16, random_seed=0), MeanColours())
    found = evaluate_generator(Painter(), 20, 0, cropped, SOURCE)
    few = [warning for warning in found.warnings if 'fewer than 2,048' in warning]
    assert len(few) == 2
    assert any('augmented' in warning for warning in found.warnings)
    assert all(f'Warning: {warning}' in table(found) for warning in found.warnings)
    many = Reference(Given(noise(2048, 8)), MeanColours())
    assert not evaluate_images(Given(noise(2100, 8, 1)), many).warnings


def test_a_value_that_is_not_finite_is_not_a_score():
    for value in (float('nan'), float('inf')):
        with pytest.raises(UserError, match='not a score'):
            Score(value, None, 10)


def test_the_report_has_every_number_with_its_protocol():
    found = evaluate_generator(Painter(), 20, 0, reference(), SOURCE)
    made = report(found, {'model': 'the painter'})
    assert made['metrics']['kid']['spread_is'] == 'standard deviation of 100 subsets'
    assert made['metrics']['kid']['protocol'].startswith('20 generated images of 16 pixels (the painter of captions')
    assert made['model'] == 'the painter'
    lines = table(found).splitlines()
    for name in made['metrics']:
        (line,) = [line for line in lines if line.startswith(f'{name} ')]
        for part in made['metrics'][name]['protocol'].split('; '):
            (mark,) = [note.split(' ')[0] for note in lines if note.endswith(f'] {part}')]
            assert mark in line
