import random
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from fuzzing import EXAMPLES, damaged, fuzz, read_or_refused

from stackgan_tf.data.painted_birds.painted_birds_dataset_builder import Builder, PaintedBirdsConfig
from stackgan_tf.data.tfds_records import TfdsRecords
from stackgan_tf.system.errors import UserError


@pytest.fixture(scope='module')
def birds(tmp_path_factory):
    config = PaintedBirdsConfig(name='records', load_size=76, training_images=1, validation_images=1, test_images=1)
    builder = Builder(config=config, data_dir=str(tmp_path_factory.mktemp('records')))
    builder.download_and_prepare()
    return builder


def in_tfds_order(builder, split):
    read = tfds.ReadConfig(interleave_cycle_length=1)
    return list(builder.as_dataset(split=split, read_config=read, decoders={'image': tfds.decode.SkipDecoding()}))


def test_records_are_those_of_tfds_in_its_order(birds):
    records = TfdsRecords(birds, 'train', ['label', 'captions', 'bounding_box'])
    examples = in_tfds_order(birds, 'train')
    assert len(records) == len(examples) == 150
    assert [int(label) for label in records.columns['label']] == [int(example['label']) for example in examples]
    for position, example in enumerate(examples[:5]):
        assert list(records.columns['captions'][position]) == example['captions'].numpy().tolist()
        np.testing.assert_array_equal(records.columns['bounding_box'][position], example['bounding_box'])
    drawn = np.array(random.Random(0).sample(range(150), 40))
    for image, index in zip(records.images(drawn), drawn, strict=True):
        assert image == examples[index]['image'].numpy()


def test_slices_of_splits(birds):
    whole, part = (TfdsRecords(birds, split, ['label']) for split in ('train', 'train[20:60]'))
    assert part.columns['label'] == whole.columns['label'][20:60]
    assert part.images(np.array([3]))[0] == whole.images(np.array([23]))[0]
    assert len(TfdsRecords(birds, 'train+test', [])) == 170


@pytest.mark.parametrize('columns', [[], ['label']])
@pytest.mark.parametrize('lost', [1, 5000])
def test_a_file_that_is_cut_short(birds, tmp_path, columns, lost):
    copy = tmp_path / 'data'
    shutil.copytree(birds.data_dir, copy)
    (file,) = copy.glob('*train.tfrecord*')
    file.write_bytes(file.read_bytes()[:-lost])
    with pytest.raises(UserError, match='is cut short: remove its folder'):
        TfdsRecords(tfds.builder_from_directory(copy), 'train', columns)


@EXAMPLES
@pytest.mark.parametrize('columns', [[], ['label', 'captions']])
def test_damaged_files(birds, tmp_path, columns, examples):
    copy = tmp_path / 'data'
    shutil.copytree(birds.data_dir, copy)
    builder = tfds.builder_from_directory(copy)
    (file,) = copy.glob('*train.tfrecord*')
    lengths = file.read_bytes()[:5000]
    rest = file.read_bytes()[5000:]

    def read(path):
        records = TfdsRecords(builder, 'train[:5]', columns)
        assert len(records) == 5

    fuzz(lambda content: read_or_refused(read, file, content + rest, 2_000_000), damaged(lengths), min(examples, 2000))
