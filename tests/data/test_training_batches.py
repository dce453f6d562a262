import io
import itertools
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.random_crop import random_crops
from stackgan_tf.data.training_batches import (
    example_draws,
    example_order,
    other_class_partners,
    training_batches,
)
from stackgan_tf.system.errors import UserError


class ImageSource(ExampleSource):
    """Images with a color of their own each."""

    title = 'images'
    count = 7

    def __init__(self):
        self.encoded = []
        for i in range(self.count):
            ramp = np.tile(np.arange(10, dtype=np.uint8)[None, :, None], (10, 1, 3))
            ramp[..., 0] = 30 * i
            encoded = io.BytesIO()
            Image.fromarray(ramp).save(encoded, 'PNG')
            self.encoded.append(encoded.getvalue())
        self.encoded = tf.constant(self.encoded)

    def crops(self, indices, draws, size):
        return random_crops(tf.gather(self.encoded, indices), size, draws)

    def captions(self):
        return Captions([[f'{index}a', f'{index}b'] for index in range(self.count)])


def batches(start=0, steps=8, seed=3, batch_size=2, sizes=(8,)):
    data = training_batches(ImageSource(), sizes, batch_size, seed, start, steps)
    return [tuple(image.numpy() for image in batch['images']) for batch in data]


def order(seed, count, length):
    return example_order(tf.range(length, dtype=tf.int64), count, seed).numpy().tolist()


@pytest.mark.parametrize('count', [1, 2, 7, 60])
def test_every_example_comes_once_in_each_pass(count):
    positions = order(1, count, 3 * count)
    passes = [positions[i * count : (i + 1) * count] for i in range(3)]
    assert all(sorted(one) == list(range(count)) for one in passes)


def test_passes_and_seeds_have_orders_of_their_own():
    positions = order(1, 60, 120)
    assert positions[:60] != positions[60:]
    assert positions[:60] != order(2, 60, 60)


def test_a_pass_without_its_remainder_ends_with_its_last_whole_batch():
    data = training_batches(ImageSource(), (8,), 3, 3, 0, 80, parts=('label',), drop_remainder=True)
    labels = np.reshape([batch['label'].numpy() for batch in data], (40, 6))  # 7 images: two batches of 3 in a pass
    assert all(len(set(row.tolist())) == 6 for row in labels)
    dropped = [set(range(7)) - set(row.tolist()) for row in labels]
    assert set.union(*dropped) == set(range(7))
    late = training_batches(ImageSource(), (8,), 3, 3, 77, 3, parts=('label',), drop_remainder=True)
    np.testing.assert_array_equal(np.concatenate([batch['label'] for batch in late]), labels.ravel()[-9:])
    with pytest.raises(UserError, match='images has 7 examples, a batch 8'):
        training_batches(ImageSource(), (8,), 8, 3, 0, 1, drop_remainder=True)


def test_no_order_comes_twice_in_2000_passes_or_300_seeds():
    passes = np.reshape(order(0, 300, 2000 * 300), (2000, 300))
    assert len(np.unique(passes, axis=0)) == 2000
    assert len({tuple(order(seed, 300, 300)) for seed in [*range(300), -1, 2**32, 2**40]}) == 303


def test_every_place_has_every_example_equally_often_and_neighbors_vary():
    passes = np.reshape(order(0, 60, 2000 * 60), (2000, 60))
    counts = np.stack([np.bincount(place, minlength=60) for place in passes.T])
    steps = np.bincount(np.diff(passes).ravel() % 60, minlength=60)[1:]  # from each example to the next
    for found in (counts, steps):
        expected = found.mean()
        assert 0.9 < ((found - expected) ** 2 / expected).mean() < 1.3


def test_a_data_set_of_millions_has_an_order_too():
    positions = 3_000_000 * np.array([[0], [256], [2048]]) + np.arange(2000)
    rows = [example_order(tf.constant(each), 3_000_000, 0).numpy() for each in positions]
    for row in rows:
        assert len(np.unique(row)) == 2000
        assert 0 <= row.min() < 10_000 < 2_990_000 < row.max() < 3_000_000
    assert all((one != other).any() for one, other in itertools.pairwise(rows))


def test_a_later_start_step_gives_the_rest_of_the_batches():
    for whole, late in zip(batches()[3:], batches(start=3, steps=5), strict=True):
        np.testing.assert_array_equal(whole[0], late[0])


def test_the_same_position_looks_the_same_whatever_the_batch():
    one = np.concatenate([batch[0] for batch in batches(batch_size=2, steps=6)])
    other = np.concatenate([batch[0] for batch in batches(batch_size=3, steps=4)])
    np.testing.assert_array_equal(one, other)


def test_draws_of_an_example_do_not_depend_on_its_batch():
    whole = example_draws(tf.constant(0, tf.int64), 40, 5).numpy()
    for first, count in ((0, 1), (7, 3), (13, 27)):
        np.testing.assert_array_equal(
            example_draws(tf.constant(first, tf.int64), count, 5), whole[first : first + count]
        )
    assert len(np.unique(whole)) == whole.size
    for other in ((6,), (5, 1), (5 + 2**32,)):  # another seed, another stream
        assert not np.isin(example_draws(tf.constant(0, tf.int64), 40, *other), whole).any()
    streams = [example_draws(tf.constant(0, tf.int64), 40, *key).numpy() for key in ((0, 1), (2**32, 0))]
    assert (streams[0] != streams[1]).all()


def test_draws_are_uniform():
    draws = example_draws(tf.constant(0, tf.int64), 10_000, 0).numpy()
    assert 0 <= draws.min() <= draws.max() < 1
    np.testing.assert_allclose(draws.mean(0), 0.5, atol=0.02)
    np.testing.assert_allclose(np.corrcoef(draws, rowvar=False), np.eye(4), atol=0.05)


def test_crops_and_flips_vary():
    # The green channel is a ramp from left to right, so its first and last column give the position of a crop and
    # whether it was flipped.
    counts = Counter()
    for batch in batches(steps=60):
        for image in np.round((batch[0] + 1) * 127.5):
            counts[image[0, 0, 1], bool(image[0, 0, 1] > image[0, -1, 1])] += 1
    assert {flipped for _, flipped in counts} == {True, False}
    assert len(counts) == 4  # two positions, flipped or not
    assert max(counts.values()) < 60


def test_captions_and_labels_belong_to_the_images():
    data = training_batches(ImageSource(), (8,), 7, 3, 0, 4, parts=('images', 'tokens', 'other_tokens', 'label'))
    drawn = set()
    for batch in data:
        labels = batch['label'].numpy()
        red = np.round((batch['images'][0].numpy()[:, 0, 0, 0] + 1) * 127.5)
        np.testing.assert_array_equal(red, 30 * labels)
        digits, letters = batch['tokens'].numpy()[:, 0], batch['tokens'].numpy()[:, 1]
        np.testing.assert_array_equal(digits, 26 + labels)
        drawn |= set(letters.tolist())
        np.testing.assert_array_equal(batch['other_tokens'].numpy()[:, 0], digits)
        np.testing.assert_array_equal(batch['other_tokens'].numpy()[:, 1], 1 - letters)
    assert drawn == {0, 1}


def test_flips_can_be_switched_off():
    data = training_batches(ImageSource(), (8,), 2, 3, 0, 60, flip=False)
    images = np.concatenate([batch['images'][0].numpy() for batch in data])
    assert (images[:, 0, 0, 1] < images[:, 0, -1, 1]).all()


def test_shapes_range_and_types():
    (small, large), *_ = batches(sizes=(8, 16))
    assert (small.shape, large.shape) == ((2, 8, 8, 3), (2, 16, 16, 3))
    assert small.dtype == large.dtype == np.float32
    assert abs(large).max() <= 1


def test_partners_are_of_other_classes():
    labels = tf.constant([0, 0, 1, 2])
    draws = tf.constant([[0.0, 0.3, 0.6], [0.9, 0.0, 0.0], [0.6, 0.6, 0.7]])
    chosen, rows = other_class_partners(tf.constant([0, 1, 2], tf.int64), draws, labels)
    assert chosen.numpy().tolist()[:2] == [2, 3]
    assert rows.numpy().tolist() == [1, 1, 0]  # all candidates of the last are itself


def test_mismatched_images_are_of_other_classes():
    parts = ('images', 'label', 'mismatched_images')
    partners = set()
    for batch in training_batches(ImageSource(), (8,), 7, 3, 0, 20, parts=parts):
        others = np.round((batch['mismatched_images'][0].numpy()[:, 0, 0, 0] + 1) * 127.5) / 30
        assert batch['mismatched_images'][0].shape == batch['images'][0].shape
        assert (others != batch['label'].numpy())[batch['mismatched_rows'] == 1].all()
        partners |= set(others.tolist())
    assert partners == set(range(7))


def test_attributes_that_no_caption_names_are_those_of_mirrored_images():
    class Facing(ImageSource):
        def attributes(self):
            return np.arange(self.count, dtype=np.int32)[:, None]

        def unnamed_attributes(self):
            return np.stack([np.stack([np.arange(self.count), [side] * self.count], 1) for side in (0, 1)], 1)

    for flip in (True, False):
        data = training_batches(Facing(), (8,), 4, 3, 0, 8, flip, parts=('images', 'attributes'))
        sides = []
        for batch in data:
            number, unnamed, side = batch['attributes'].numpy().T
            ramp = batch['images'][0].numpy()[:, 0, :, 1]  # brighter to the right, unless it is mirrored
            np.testing.assert_array_equal(side, ramp[:, 0] > ramp[:, -1])
            np.testing.assert_array_equal(number, unnamed)
            sides.extend(side)
        assert set(sides) == ({0, 1} if flip else {0})
