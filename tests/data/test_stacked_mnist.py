"""Stacked MNIST from tiny files of digits: images of one gray level each, twenty for each of them."""

import gzip
import struct

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from stackgan_tf.data.stacked_mnist.stacked_mnist_dataset_builder import Builder
from stackgan_tf.data.tfds_images import TfdsImages
from stackgan_tf.system.errors import UserError

FILES = {'train': 'train', 'test': 't10k'}


def digits(split):
    """Ten digits; the gray levels of the test are others."""
    labels = np.arange(10, dtype=np.uint8)
    levels = 20 * labels + (1 if split == 'train' else 2)
    return np.tile(levels[:, None, None], (1, 28, 28)), labels


def write_files(folder, compressed=True):
    folder.mkdir(exist_ok=True)
    for split, prefix in FILES.items():
        for name, array in zip(('images-idx3', 'labels-idx1'), digits(split), strict=True):
            content = bytes([0, 0, 8, array.ndim]) + struct.pack(f'>{array.ndim}I', *array.shape) + array.tobytes()
            path = folder / f'{prefix}-{name}-ubyte{".gz" if compressed else ""}'
            path.write_bytes(gzip.compress(content) if compressed else content)
    return folder


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(Builder, 'IMAGES', {'train': 60, 'test': 20})


def source(tmp_path, split='train', **settings):
    return TfdsImages('stacked_mnist', split, data_dir=str(tmp_path / 'data'), whole=True, **settings)


@pytest.mark.parametrize('compressed', [True, False])
def test_channels_are_digits_of_the_split(tmp_path, compressed):
    folder = str(write_files(tmp_path / 'mnist', compressed))
    for split, count in (('train', 60), ('test', 20)):
        stacked = source(tmp_path, split, manual_dir=folder)
        assert stacked.count == count
        assert stacked.load_size(32) == 32
        indices = tf.range(count, dtype=tf.int64)
        images = stacked.crops(indices, tf.random.stateless_uniform((count, 2), (0, 0)), 32).numpy()
        levels = images[:, 2:-2, 2:-2]
        np.testing.assert_array_equal(levels, np.broadcast_to(levels[:, :1, :1], levels.shape))
        np.testing.assert_array_equal(levels[:, 0, 0], digits(split)[0][:, 0, 0][stacked.attributes()])
        assert images.sum(dtype=int) == levels.sum(dtype=int)  # the margin is black
        np.testing.assert_array_equal(stacked.labels(), stacked.attributes() @ (100, 10, 1))
        assert len(set(stacked.labels())) > count / 2
        assert stacked.class_names[123] == '123'


def test_every_copy_is_the_same(tmp_path):
    folder = str(write_files(tmp_path / 'mnist'))
    first, second = (source(tmp_path / name, manual_dir=folder).labels().tolist() for name in 'ab')
    assert first == second
    assert first[:3] == [232, 109, 100]


def test_without_files_the_digits_are_those_of_tensorflow_datasets(tmp_path, monkeypatch):
    mnist = tfds.builder('mnist', data_dir=str(tmp_path / 'data'))

    def examples(split):
        for number, (image, label) in enumerate(zip(*digits(split), strict=True)):
            yield number, {'image': image[..., None], 'label': int(label)}

    monkeypatch.setattr(type(mnist), '_split_generators', lambda *_: {split: examples(split) for split in FILES})
    mnist.download_and_prepare()
    stacked = source(tmp_path)
    corner = stacked.crops(tf.range(60, dtype=tf.int64), tf.zeros((60, 2)), 32).numpy()[:, 2, 2]
    np.testing.assert_array_equal(corner, 20 * stacked.attributes() + 1)


def test_missing_and_wrong_files(tmp_path):
    folder = write_files(tmp_path / 'mnist')
    with pytest.raises(UserError, match='put the four files of MNIST there, or prepare mnist of TensorFlow Datasets'):
        source(tmp_path / 'empty')
    (folder / 'train-images-idx3-ubyte.gz').rename(folder / 't10k-labels-idx1-ubyte.gz')
    with pytest.raises(UserError, match=r'train-images-idx3-ubyte\.gz is not in .*mnist: put the four files'):
        source(tmp_path, manual_dir=str(folder))
    (folder / 't10k-labels-idx1-ubyte.gz').replace(folder / 'train-labels-idx1-ubyte.gz')
    write_files(tmp_path / 'again')
    (tmp_path / 'again' / 'train-images-idx3-ubyte.gz').rename(folder / 'train-images-idx3-ubyte.gz')
    with pytest.raises(UserError, match='are not images of digits and as many labels: fetch them again'):
        source(tmp_path, manual_dir=str(folder))
