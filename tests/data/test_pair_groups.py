import numpy as np
import tensorflow as tf
from captioned import Captioned

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.pair_groups import pair_groups
from stackgan_tf.data.training_batches import other_class_partners, training_batches


def groups(labels, captions):
    each = Captions(captions)
    return pair_groups(np.array(labels, np.int32), each.texts, each.index.counts)


def share(found):
    """Which examples share a group: bool `[count, count]`."""
    return (found[:, None, :, None] == found[None, :, None, :]).any(axis=(2, 3)).tolist()


def test_examples_that_share_a_caption_belong_together():
    captions = [['a circle', 'one'], ['A  circle'], ['a square'], ['a square', 'a circle'], ['', 'two'], []]
    found = groups(range(6), captions)
    assert found.dtype == np.int32
    assert found.shape == (6, 3)
    expected = np.eye(6, dtype=bool)
    for one, other in ((0, 1), (0, 3), (1, 3), (2, 3)):  # not 0 and 2, though both belong to 3
        expected[one, other] = expected[other, one] = True
    assert share(found) == expected.tolist()


def test_captions_within_a_class_change_nothing():
    labels = np.array([0, 0, 1], np.int32)
    assert groups(labels, [['a bird'], ['a bird'], ['a fish', 'a fish']]).tolist() == [0, 0, 1]
    assert share(groups(labels, [['a bird', 'b'], ['a bird'], ['b']]))[1] == [True, True, False]


class Labelled(Captioned):
    """Images of their own class each, whose captions name one of three colors."""

    def captions(self):
        return Captions([[('red', 'green', 'blue')[i % 3]] for i in range(self.count)])

    def labels(self):
        return np.arange(self.count, dtype=np.int32)


def test_batches_have_the_groups_where_a_model_reads_captions():
    batch = next(iter(training_batches(Labelled(), (8,), 6, 0, 0, 1, parts=('tokens', 'label'))))
    groups_of_batch = batch['label'].numpy()
    assert groups_of_batch.shape == (6, 2)
    color = groups_of_batch[:, 0] % 3
    assert share(groups_of_batch) == (color[:, None] == color[None, :]).tolist()
    batch = next(iter(training_batches(Labelled(), (8,), 6, 0, 0, 1, parts=('images', 'label'))))
    assert batch['label'].shape == (6,)


def test_mismatched_images_have_other_captions():
    labels = tf.constant([[0, 7], [1, 7], [2, -6]])
    draws = tf.constant([[0.4, 0.9], [0.1, 0.4]])
    chosen, rows = other_class_partners(tf.constant([0, 1], tf.int64), draws, labels)
    assert (chosen.numpy()[0], rows.numpy().tolist()) == (2, [1.0, 0.0])
