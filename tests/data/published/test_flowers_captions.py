import io
import shutil
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds
import text_archives
from text_archives import FLOWERS, below, examples, flower_files, flower_labels, flower_names, unpack

from stackgan_tf.data.published.flowers_captions.flowers_captions_dataset_builder import LABELS, Builder, read_classes
from stackgan_tf.system.errors import UserError


class FlowersCaptionsTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    SPLITS = {'train': 9, 'test': 6}
    DL_DOWNLOAD_RESULT = 'downloaded/102flowers.tgz'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.EXAMPLE_DIR)
        text_archives.make_flowers(cls.EXAMPLE_DIR)
        (Path(cls.EXAMPLE_DIR) / 'downloaded').mkdir()
        shutil.move(f'{cls.EXAMPLE_DIR}/102flowers.tgz', f'{cls.EXAMPLE_DIR}/downloaded')


@pytest.fixture
def manual(tmp_path):
    return tmp_path / 'manual'


@pytest.fixture
def prepare(tmp_path, manual):
    return lambda config=None: text_archives.prepared(Builder, tmp_path / 'data', manual, config)


def texts():
    return text_archives.caption_files(FLOWERS, flower_names()) | text_archives.class_lists(FLOWERS)


@pytest.mark.parametrize('packed', [True, False])
def test_everything_is_as_published(manual, prepare, packed):
    text_archives.make_flowers(manual, packed, embeddings=False)
    builder = prepare()
    files, names = flower_files(), flower_names()
    number = 0
    for split, classes in FLOWERS.items():
        found = examples(builder, split)
        assert sorted(found) == names[split]
        for place, name in enumerate(names[split]):
            example = found[name]
            assert example['image'] == files[f'jpg/{name}.jpg']
            assert [text.decode() for text in example['captions']] == text_archives.captions_of(
                number, thing='this flower'
            )
            assert example['label'] == int(classes[place // 3][-5:]) - 1
            assert example['filename'].decode() == f'{name}.jpg'
            number += 1
    assert builder.info.features['label'].num_classes == 102
    assert builder.info.features['label'].int2str(76) == 'passion flower'


def test_splits_can_come_from_the_release_alone(manual, prepare):
    names = flower_names()
    release = text_archives.release_files(names, prefix='jpg/')
    captions = text_archives.caption_files(FLOWERS, names)
    unpack(manual, {**flower_files(), **flower_labels(), **captions, **below('flowers', release)})
    builder = prepare()
    assert {split: sorted(examples(builder, split)) for split in names} == names


def test_embeddings_are_those_of_their_images(manual, prepare):
    text_archives.make_flowers(manual)
    builder = prepare('with_embeddings')
    for split, first in (('train', 0), ('test', 1000)):
        found = examples(builder, split)
        for number, name in enumerate(flower_names()[split]):
            assert found[name]['embeddings'].shape == (10, 1024)
            assert (found[name]['embeddings'] == first + number).all()


def test_differences_from_the_paper_are_reported(manual, prepare, capsys):
    text_archives.make_flowers(manual, embeddings=False)
    prepare()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if 'expected' in line] == [
        'flowers_captions: classes in train: 3 found, 82 expected, as in the paper',
        'flowers_captions: classes in test: 2 found, 20 expected, as in the paper',
        'flowers_captions: images in train: 9 found, 7,034 expected, as in the paper',
        'flowers_captions: images in test: 6 found, 1,155 expected, as in the paper',
    ]


def test_bad_images_and_captions_are_left_out(manual, prepare, capsys):
    train, test = flower_names().values()
    images, others = flower_files(), texts()
    images[f'jpg/{train[0]}.jpg'] = b''
    images[f'jpg/{train[1]}.jpg'] = text_archives.jpeg(1, 'L')
    del images[f'jpg/{test[5]}.jpg']
    images['jpg/image_08000.jpg'] = text_archives.jpeg(2)  # of class 1, the default of the labels
    images['jpg/image_09999.jpg'] = text_archives.jpeg(3)  # has no label
    del others[f'text_c10/class_00001/{train[2]}.txt']
    others[f'text_c10/class_00003/{train[3]}.txt'] = b'\xe9\xe8\n\n a flower\n'
    unpack(manual, {**images, **others, **flower_labels()})
    found, said = examples(prepare(), 'train'), capsys.readouterr().out
    assert set(found) == {*train[1:], 'image_08000'}
    assert f'{train[0]}.jpg cannot be used and is left out' in said
    assert found[train[1]]['image'] == text_archives.jpeg(1, 'L')
    assert not len(found[train[2]]['captions'])
    assert found[train[3]]['captions'].tolist() == [b'a flower']
    assert 'captions of images that are not there: 1 passed over' in said
    assert 'images that are in no split: 1 passed over' in said


@pytest.mark.parametrize(
    ('missing', 'message'),
    [
        ('text_c10', 'put cvpr2016_flowers.tar.gz of Reed et al. there, or its text_c10/'),
        ('trainvalclasses.txt', 'nothing in {} says which classes are for training: put trainvalclasses.txt and'),
    ],
)
def test_missing_files_are_requested_in_a_line(manual, prepare, missing, message):
    files = {**flower_files(), **texts(), **flower_labels()}
    unpack(manual, {path: content for path, content in files.items() if missing not in path})
    with pytest.raises(UserError) as error:
        prepare()
    assert message.format(manual) in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('name', ['102flowers.tgz', 'cvpr2016_flowers.tar.gz'])
def test_truncated_archive_is_reported_in_a_line(manual, prepare, name):
    text_archives.make_flowers(manual, embeddings=False)
    content = (manual / name).read_bytes()
    (manual / name).write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(UserError, match=rf'{name} (is cut short|cannot be read to its end).*fetch it again') as error:
        prepare()
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('content', [b'MATLAB 5.0 MAT-file' + bytes(900), b'<html>' * 200])
def test_broken_labels_are_reported_in_a_line(manual, prepare, content):
    unpack(manual, {**flower_files(), **texts(), 'imagelabels.mat': content})
    with pytest.raises(UserError, match=r'imagelabels.mat cannot be read.*fetch it again') as error:
        prepare()
    assert '\n' not in str(error.value)


def test_labels_that_unpack_to_too_much_are_not_read(tmp_path):
    file = io.BytesIO()
    scipy.io.savemat(file, {'labels': np.ones((1, 100_000_000), np.uint8)}, do_compression=True)
    (tmp_path / 'imagelabels.mat').write_bytes(file.getvalue())
    del file
    tracemalloc.start()
    with pytest.raises(UserError, match=r'imagelabels.mat cannot be read'):
        read_classes(tmp_path / 'imagelabels.mat')
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_missing_labels_are_downloaded():
    assert LABELS.url in Builder.url_infos
    assert Builder.url_infos[LABELS.url].size == LABELS.size
    assert Builder.url_infos[LABELS.url].checksum == LABELS.sha256
