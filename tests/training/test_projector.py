import numpy as np
import tensorflow as tf
from captioned import Captioned, Gappy, WordEncoder
from google.protobuf import text_format
from tensorboard.plugins.projector import ProjectorConfig

from stackgan_tf.data.embeddings import CaptionEmbeddings, LabelVectors, StoredEmbeddings
from stackgan_tf.training.projector import write_projector


def test_a_point_and_its_words_for_each_caption(tmp_path):
    embeddings = CaptionEmbeddings(Captioned(), WordEncoder())
    write_projector(tmp_path, embeddings, 9)
    config = text_format.Parse((tmp_path / 'projector_config.pbtxt').read_text(), ProjectorConfig())
    (points,) = config.embeddings
    vectors = np.loadtxt(tmp_path / points.tensor_path, delimiter='\t')
    words = (tmp_path / points.metadata_path).read_text().splitlines()
    assert words[:2] == ['red 0 of 0', 'green 0 of 1']
    np.testing.assert_allclose(vectors, embeddings.drawn(tf.range(9, dtype=tf.int64), tf.zeros(9)), rtol=1e-4)


def test_images_without_captions_are_no_points(tmp_path):
    write_projector(tmp_path, CaptionEmbeddings(Gappy(), WordEncoder()), 9)
    (words,) = (path.read_text().splitlines() for path in tmp_path.glob('*words*'))
    assert words == [f'{"blue" if i % 3 else "red"} 0 of {i}' for i in (0, 2, 3, 5, 6, 8)]


def test_embeddings_without_words_are_not_written(tmp_path):
    write_projector(tmp_path, StoredEmbeddings(Captioned()), 9)
    assert not list(tmp_path.iterdir())
    assert LabelVectors(Captioned()).texts(np.array([4, 0])) == ['green', 'red']
