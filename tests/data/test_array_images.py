"""Images of a NumPy array as a source of examples."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import TREE, build

from stackgan_tf.data.array_images import ArrayImages
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.batches import batches_for

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 19, 19, 3), np.uint8)


def test_a_crop_is_a_part_of_its_image():
    source = ArrayImages(IMAGES)
    crops = source.crops(tf.constant([4, 0], tf.int64), tf.constant([[0.0, 0.0], [0.99, 0.99]]), 16).numpy()
    np.testing.assert_array_equal(crops, [IMAGES[4, :16, :16], IMAGES[0, 3:, 3:]])
    assert source.count == 5
    np.testing.assert_array_equal(source.labels(), np.arange(5))


def test_captions_and_labels_are_those_given():
    source = ArrayImages(IMAGES, ['a', ['b', 'c'], 'd', [], 'e'], np.array([0, 0, 1, 1, 2]))
    assert source.captions().texts.tolist() == [b'a', b'b', b'c', b'd', b'', b'e']
    assert source.captions().missing.tolist() == [False, False, False, True, False]
    np.testing.assert_array_equal(source.labels(), [0, 0, 1, 1, 2])


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((IMAGES / 255,), r'must be uint8 \[N, h, w, 3\], not float64'),
        ((IMAGES[..., 0],), 'must be uint8'),
        ((IMAGES[:0],), 'must be uint8'),
        ((IMAGES, ['a']), '5 images need as many captions, not 1'),
        ((IMAGES, None, np.arange(4)), '5 images need as many labels, not 4'),
    ],
)
def test_other_arrays_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        ArrayImages(*arguments)


def test_batches_continue_at_the_models_step():
    model = build(StackGANv2, **{**TREE, 'batch_size': 2})
    first = list(batches_for(model, ArrayImages(IMAGES)).take(3))
    model.step.assign(2)
    (third,) = batches_for(model, ArrayImages(IMAGES)).take(1)
    np.testing.assert_array_equal(third['images'][1], first[2]['images'][1])
    assert first[0].keys() == {'images'}
    with pytest.raises(UserError, match='embedding_dimension = 0, the embeddings given have 3 numbers'):
        batches_for(model, ArrayImages(IMAGES), type('Three', (), {'dimension': 3})())
