"""Caption consistency of images of every size that the classifier reads."""

import types

import numpy as np
import pytest
from captioned import Captioned

from stackgan_tf.evaluation.attribute_reader import AttributeReader
from stackgan_tf.evaluation.caption_measures import CaptionConsistencyObserver, enlarged
from stackgan_tf.evaluation.caption_sampling import sample_captions
from stackgan_tf.system.errors import UserError


class Reader(AttributeReader):
    """Predicts whether the left and the right half of an image of 16 pixels are bright."""

    size = 16
    names = ('left', 'right')
    fingerprint = 'eyes'

    def __init__(self):
        pass

    def read(self, images):
        assert images.shape[1:] == (16, 16, 3)
        assert images.dtype == np.uint8
        return np.stack([images[:, :, :8].mean((1, 2, 3)) > 128, images[:, :, 8:].mean((1, 2, 3)) > 128], 1)

    def accuracies(self, source):
        return {'left': 1.0, 'right': 0.5}


class Halves(Captioned):
    """Examples with a bright left half and a dark right half; captions name both."""

    def attributes(self):
        return np.tile([1, 0], (self.count, 1))

    def caption_attributes(self):
        return np.ones((len(self.captions().texts), 2), bool)


def observer(sizes):
    source = Halves(4)
    generator = types.SimpleNamespace(sizes=sizes)
    return CaptionConsistencyObserver(generator, Reader(), source, sample_captions(source, 4, 0))


def halves(size, left, right):
    images = np.zeros((4, size, size, 3), np.uint8)
    images[:, :, : size // 2], images[:, :, size // 2 :] = left, right
    return images


def test_smaller_sizes_are_read_enlarged_and_larger_ones_not():
    consistency = observer((8, 16, 32))
    consistency.add({8: halves(8, 0, 0), 16: halves(16, 255, 0), 32: halves(32, 0, 255)})
    scores = consistency.scores('four images')
    assert scores['caption_consistency'].value == 1
    assert scores['caption_consistency_8px'].value == 0.5  # the right half matches the captions
    assert scores['caption_consistency_8px'].protocol.endswith('at 16 pixels, enlarged from 8')
    assert scores['classifier_accuracy_right'].value == 0.5
    assert 'caption_consistency_32px' not in scores


def test_a_model_of_small_images_alone_is_read_enlarged():
    consistency = observer((8,))
    consistency.add({8: halves(8, 255, 0)})
    score = consistency.scores('four images')['caption_consistency']
    assert score.value == 1
    assert 'enlarged from 8' in score.protocol


def test_a_model_of_larger_images_alone_is_refused():
    with pytest.raises(UserError, match='reads images of 16 pixels, the model generates 32, 64'):
        observer((32, 64))


def test_enlarging_keeps_flat_images_and_those_of_the_right_size():
    images = halves(16, 3, 250)
    assert enlarged(images, 16) is images
    assert (enlarged(np.full((2, 8, 8, 3), 77, np.uint8), 16) == 77).all()
