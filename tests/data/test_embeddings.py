import numpy as np
import pytest
import tensorflow as tf
from captioned import WORDS, Captioned, Gappy, WordEncoder

from stackgan_tf.data.captioned_examples import CaptionedExamples
from stackgan_tf.data.captions import Captions
from stackgan_tf.data.embeddings import (
    AttributeVectors,
    CaptionEmbeddings,
    HubEmbeddings,
    LabelVectors,
    StoredEmbeddings,
    sample_embeddings,
)
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.system.errors import UserError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))


class Bare(Captioned):
    """Images and nothing else."""

    title = 'bare squares'
    class_names = ()
    captions = ExampleSource.captions
    stored_embeddings = ExampleSource.stored_embeddings
    labels = ExampleSource.labels
    attributes = ExampleSource.attributes


INDICES = tf.constant([0, 4, 8, 5, 5], tf.int64)
DRAWS = tf.constant([0.5, 0.2, 0.999, 0.0, 0.4])


def test_the_embedding_is_that_of_the_drawn_caption():
    source, encoder = Captioned(), WordEncoder()
    embeddings = CaptionEmbeddings(source, encoder)
    assert (embeddings.dimension, embeddings.fingerprint) == (4, 'words')
    expected = encoder(source.captions().drawn(INDICES, DRAWS))
    np.testing.assert_array_equal(embeddings.drawn(INDICES, DRAWS), expected)


def test_embedding_tokens_label_and_image_of_a_row_belong_together():
    source = Captioned()
    embeddings = CaptionEmbeddings(source, WordEncoder())
    parts = ('images', 'tokens', 'label')
    for batch in training_batches(source, (8,), 6, 0, 0, 4, parts=parts, embeddings=embeddings):
        assert batch['embedding'].shape == (6, 4)
        first = ['rgb'.index('abcdefghijklmnopqrstuvwxyz'[slot]) for slot in batch['tokens'][:, 0]]
        assert first == batch['label'].numpy().tolist()
        assert first == np.argmax(batch['embedding'][:, :3], axis=1).tolist()
        assert first == np.argmax(batch['images'][0][:, 0, 0], axis=1).tolist()


def test_a_batch_marks_rows_without_embedding():
    source = Gappy()
    embeddings = CaptionEmbeddings(source, WordEncoder())
    for batch in training_batches(source, (8,), 6, 0, 0, 4, parts=('label',), embeddings=embeddings):
        np.testing.assert_array_equal(batch['has_condition'], batch['label'].numpy() != 1)
    for batch in training_batches(source, (8,), 6, 0, 0, 2, parts=(), embeddings=LabelVectors(source)):
        assert batch['has_condition'].numpy().all()


def test_sampled_embeddings_are_those_of_captions_alone():
    embeddings = CaptionEmbeddings(Gappy(), WordEncoder())
    for most in (5, 50):
        drawn = sample_embeddings(embeddings, 9, most)
        assert drawn.shape == (most, 4)
        assert (drawn[:, [0, 2]].sum(1) == 1).all()  # the empty caption names no color


def test_examples_without_captions_are_left_out():
    source, kept = Gappy(), CaptionedExamples(Gappy())
    assert kept.count == 6
    assert kept.class_names == source.class_names
    indices = tf.constant([0, 1, 5], tf.int64)
    draws = tf.zeros((3, 2))
    np.testing.assert_array_equal(kept.labels(), [0, 2, 0, 2, 0, 2])
    np.testing.assert_array_equal(
        kept.crops(indices, draws, 4), source.crops(tf.constant([0, 2, 8], tf.int64), draws, 4)
    )
    drawn = kept.captions().drawn(indices, tf.constant([0.0, 0.5, 0.9]))
    assert drawn.numpy().tolist() == [b'red 0 of 0', b'blue 1 of 2', b'blue 2 of 8']
    assert not kept.captions().missing.any()


def test_a_source_without_any_caption_is_refused():
    class Silent(Captioned):
        def captions(self):
            return Captions([[] for _ in range(self.count)])

    with pytest.raises(UserError, match='none of the 9 images has a caption'):
        CaptionedExamples(Silent())
    with pytest.raises(UserError, match='none of the 9 images has a caption'):
        sample_embeddings(CaptionEmbeddings(Silent(), WordEncoder()), 9)


def test_the_mean_of_several_captions():
    source = Captioned()
    embeddings = StoredEmbeddings(source)
    for batch in training_batches(source, (8,), 6, 0, 0, 4, True, ('label',), embeddings, 3):
        # Example i has 1 + i % 3 vectors i, i + 0.1, ...: three in a row cover all, a single one three times.
        rows = batch['embedding'][:, 0].numpy()
        whole = np.round(rows)
        expected = {0: {0.0}, 1: {0.1 / 3, 0.2 / 3}, 2: {0.1}}
        for row, number, label in zip(rows, whole, batch['label'].numpy(), strict=True):
            assert min(abs(row - number - each) for each in expected[label]) < 1e-5


def test_stored_embeddings():
    embeddings = StoredEmbeddings(Captioned())
    assert embeddings.dimension == 4
    drawn = embeddings.drawn(INDICES, DRAWS).numpy()
    np.testing.assert_allclose(drawn[:, 0], [0, 4, 8.2, 5, 5.1], rtol=1e-6)


def test_labels_and_attributes_one_hot():
    labels = LabelVectors(Captioned())
    assert labels.dimension == len(WORDS)
    np.testing.assert_array_equal(labels.drawn(INDICES, DRAWS), np.eye(3)[[0, 1, 2, 2, 2]])
    assert labels.missing is None
    attributes = AttributeVectors(Captioned())
    np.testing.assert_array_equal(attributes.drawn(INDICES[:2], DRAWS[:2]), [[1, 0, 0, 1, 0], [0, 1, 0, 1, 0]])
    assert AttributeVectors(Captioned(), (4, 2)).dimension == 6


def test_an_image_of_no_known_class_has_no_condition():
    class Gaps(Captioned):
        def labels(self):
            labels = super().labels()
            return np.where(np.arange(self.count) == 4, len(WORDS) + 4, labels)

    labels = LabelVectors(Gaps())
    assert np.flatnonzero(labels.missing).tolist() == [4]
    drawn = labels.drawn(tf.constant([3, 4], tf.int64), tf.zeros(2)).numpy()
    assert drawn.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert labels.texts(np.array([3, 4])) == ['red', '']


def test_fingerprints_differ():
    source = Captioned()
    made = [LabelVectors(source), AttributeVectors(source), AttributeVectors(source, (4, 2)), StoredEmbeddings(source)]
    assert len({each.fingerprint for each in made}) == 4
    more = Captioned()
    more.stored_embeddings = lambda: [rows + 1 for rows in source.stored_embeddings()]
    assert StoredEmbeddings(more).fingerprint != StoredEmbeddings(source).fingerprint


@pytest.mark.parametrize(
    ('make', 'lack'),
    [
        (lambda source: CaptionEmbeddings(source, WordEncoder()), 'captions'),
        (StoredEmbeddings, 'stored embeddings'),
        (LabelVectors, 'classes'),
        (AttributeVectors, 'attributes'),
    ],
)
def test_a_source_without_them_is_refused(make, lack):
    with pytest.raises(UserError, match=f'bare squares has no {lack}, which this recipe needs'):
        make(Bare())


def test_attributes_beyond_the_choices_are_refused():
    with pytest.raises(UserError, match=r'choices = \(2, 2\), but colored squares has \(3, 2\)'):
        AttributeVectors(Captioned(), (2, 2))


@pytest.mark.parametrize(
    ('stored', 'reason'),
    [
        ([np.ones((2, 4)), np.ones((2, 3))], 'not all of one length'),
        ([np.ones((2, 0)), np.ones((2, 0))], 'not all of one length'),
        ([np.ones((2, 4)), np.full((2, 4), np.nan)], 'are not all numbers'),
        ([np.ones((2, 4)), np.ones((0, 4))], 'some examples of colored squares have no stored embedding'),
    ],
)
def test_uneven_stored_embeddings_are_refused(stored, reason):
    source = Captioned(2)
    source.stored_embeddings = lambda: stored
    with pytest.raises(UserError, match=reason):
        StoredEmbeddings(source)


def test_hub_embeddings(tmp_path):
    module = tf.Module()
    module.__call__ = tf.function(
        lambda text: tf.cast(tf.strings.length(text), tf.float32)[:, None],
        input_signature=[tf.TensorSpec((None,), tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path / 'module'))
    embeddings = HubEmbeddings(Captioned(), str(tmp_path / 'module'))
    assert embeddings.dimension == 1
    np.testing.assert_array_equal(
        embeddings.drawn(INDICES[:2], DRAWS[:2]), [[len('red 0 of 0')], [len('green 0 of 4')]]
    )
