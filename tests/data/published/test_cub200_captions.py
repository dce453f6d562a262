import pickle
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
import text_archives
from PIL import Image
from text_archives import CUB, below, cub_files, cub_names, examples, unpack

from stackgan_tf.data.published.cub200_captions.cub200_captions_dataset_builder import Builder
from stackgan_tf.system.errors import UserError


class CubCaptionsTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    SPLITS = {'train': 9, 'test': 6}
    DL_DOWNLOAD_RESULT = 'downloaded/CUB_200_2011.tgz'  # manual_dir has only files that the user must fetch

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.EXAMPLE_DIR)
        text_archives.make_cub(cls.EXAMPLE_DIR)
        (Path(cls.EXAMPLE_DIR) / 'downloaded').mkdir()
        shutil.move(f'{cls.EXAMPLE_DIR}/CUB_200_2011.tgz', f'{cls.EXAMPLE_DIR}/downloaded')


@pytest.fixture
def manual(tmp_path):
    return tmp_path / 'manual'


@pytest.fixture
def prepare(tmp_path, manual):
    return lambda config=None: text_archives.prepared(Builder, tmp_path / 'data', manual, config)


def texts():
    return text_archives.caption_files(CUB, cub_names()) | text_archives.class_lists(CUB)


@pytest.mark.parametrize('packed', [True, False])
def test_everything_is_as_published(manual, prepare, packed):
    text_archives.make_cub(manual, packed, embeddings=False)
    builder = prepare()
    files, names = cub_files(), cub_names()
    number = 0
    for split in ('train', 'test'):
        found = examples(builder, split)
        assert sorted(found) == sorted(names[split])
        for name in names[split]:
            example = found[name]
            assert example['image'] == files[f'CUB_200_2011/images/{name}.jpg']
            assert [text.decode() for text in example['captions']] == text_archives.captions_of(number)
            assert example['label'] == int(name[:3]) - 1
            np.testing.assert_array_equal(example['bounding_box'], [10 + (number + 1) % 5, 8, 40, 30])
            assert example['filename'].decode() == f'{name}.jpg'
            number += 1
    labels = builder.info.features['label']
    assert labels.num_classes == 200
    assert labels.names[0] == '001.Black_footed_Albatross'
    assert Builder(data_dir=builder._data_dir_root).info.features['label'].names == labels.names


def test_splits_can_come_from_the_release_alone(manual, prepare):
    names = cub_names()
    moved = names['train'].pop()  # these lists are of images, so one class can be in both
    names['test'].append(moved)
    release = text_archives.release_files(names)
    unpack(manual, cub_files() | text_archives.caption_files(CUB, cub_names()) | below('birds', release))
    builder = prepare()
    assert set(examples(builder, 'train')) == set(names['train'])
    assert set(examples(builder, 'test')) == set(names['test'])


def test_embeddings_are_those_of_their_images(manual, prepare):
    names = cub_names()
    text_archives.make_cub(manual)
    builder = prepare('with_embeddings')
    for split, first in (('train', 0), ('test', 1000)):
        found = examples(builder, split)
        for number, name in enumerate(names[split]):
            assert found[name]['embeddings'].shape == (10, 1024)
            assert (found[name]['embeddings'] == first + number).all()


def test_embeddings_need_no_captions(manual, prepare, capsys):
    unpack(manual, cub_files() | text_archives.release_files(cub_names()))
    builder = prepare('with_embeddings')
    assert all(not len(example['captions']) for example in examples(builder, 'train').values())
    assert f'no captions in {manual}: only their embeddings are taken' in capsys.readouterr().out


def test_other_data_sets_in_the_same_folder_are_ignored(manual, prepare):
    text_archives.make_flowers(manual, packed=False)
    text_archives.make_coco(manual)
    text_archives.make_cub(manual, packed=False)
    found = examples(prepare('with_embeddings'), 'test')
    assert set(found) == set(cub_names()['test'])
    assert b'bird' in next(iter(found.values()))['captions'][0]


def test_differences_from_the_paper_are_reported(manual, prepare, capsys):
    text_archives.make_cub(manual, embeddings=False)
    prepare()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if 'expected' in line] == [
        'cub200_captions: classes in train: 3 found, 150 expected, as in the paper',
        'cub200_captions: classes in test: 2 found, 50 expected, as in the paper',
        'cub200_captions: images in train: 9 found, 8,855 expected, as in the paper',
        'cub200_captions: images in test: 6 found, 2,933 expected, as in the paper',
    ]


def test_bad_images_boxes_and_captions_are_left_out(manual, prepare, capsys):
    train, test = cub_names().values()
    images, others = cub_files(), texts()
    images[f'CUB_200_2011/images/{train[0]}.jpg'] = images[f'CUB_200_2011/images/{train[0]}.jpg'][:300]
    gray, cmyk = text_archives.jpeg(3, 'L'), text_archives.jpeg(4, 'CMYK')
    images[f'CUB_200_2011/images/{train[1]}.jpg'] = gray
    images[f'CUB_200_2011/images/{train[2]}.jpg'] = cmyk
    del images[f'CUB_200_2011/images/{test[0]}.jpg']
    images['CUB_200_2011/images/099.Ovenbird/Ovenbird_0001_99.jpg'] = gray
    boxes = ['1 1 1 9 9', '2 500.0 8.0 40.0 30.0', '3 10.0 8.0 nan 30.0', '4 10.0 8.0 40.0', '5 -9 -9 40 30']
    images['CUB_200_2011/bounding_boxes.txt'] = '\n'.join(boxes).encode()
    del others[f'text_c10/{train[3]}.txt']
    others[f'text_c10/{train[4]}.txt'] = b'\xef\xbb\xbffirst \xff\xfe\xffbird \n\n  \xf0\x9f \r\nlast bird\r\n'
    unpack(manual, images | others)
    builder = prepare()
    found, said = examples(builder, 'train'), capsys.readouterr().out

    assert set(found) == set(train[1:])
    assert f'{train[0]}.jpg cannot be used and is left out' in said
    assert found[train[1]]['image'] == gray
    assert found[train[2]]['image'] == cmyk
    for name in (*train[1:4], *train[5:]):
        with Image.open(manual / f'CUB_200_2011/images/{name}.jpg') as image:
            np.testing.assert_array_equal(found[name]['bounding_box'], [0, 0, *image.size])
    np.testing.assert_array_equal(found[train[4]]['bounding_box'], [-9, -9, 40, 30])
    assert 'cub200_captions, train: boxes outside their image: 7; the whole image is used' in said
    assert not len(found[train[3]]['captions'])
    assert [text.decode() for text in found[train[4]]['captions']] == ['first  bird', 'last bird']
    assert 'captions of images that are not there: 1 passed over' in said
    assert 'images that are in no split: 1 passed over' in said
    assert 'images in train: 8 found' in said
    assert 'images in test: 5 found' in said


@pytest.mark.parametrize(
    ('missing', 'config', 'message'),
    [
        ('text_c10', None, 'put cvpr2016_cub.tar.gz of Reed et al. there, or its text_c10/'),
        ('testclasses.txt', None, 'nothing in {} says which classes are for training: put trainvalclasses.txt and'),
        ('', 'with_embeddings', 'no embeddings in {}: put the folder of StackGAN there, unpacked'),
        ('bounding_boxes.txt', None, 'has no bounding_boxes.txt: it is not CUB-200-2011, or not all of it'),
    ],
)
def test_missing_files_are_requested_in_a_line(manual, prepare, missing, config, message):
    files = {**cub_files(), **texts()}
    unpack(manual, {path: content for path, content in files.items() if not missing or missing not in path})
    with pytest.raises(UserError) as error:
        prepare(config)
    assert message.format(manual) in str(error.value)
    assert '\n' not in str(error.value)


def test_missing_folder_is_requested_in_a_line(manual, prepare):
    with pytest.raises(UserError, match=r'manual is not there or empty: put cvpr2016_cub.*') as e:
        prepare()
    assert '\n' not in str(e.value)


@pytest.mark.parametrize('name', ['CUB_200_2011.tgz', 'cvpr2016_cub.tar.gz'])
def test_truncated_archive_is_reported_in_a_line(manual, prepare, name):
    text_archives.make_cub(manual, embeddings=False)
    content = (manual / name).read_bytes()
    (manual / name).write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(UserError, match=rf'{name} (is cut short|cannot be read to its end).*fetch it again') as error:
        prepare()
    assert '\n' not in str(error.value)


def test_class_in_both_lists_is_refused(manual, prepare):
    both = {'train': CUB['train'], 'test': CUB['train'][:1]}
    unpack(manual, cub_files() | texts() | text_archives.class_lists(both))
    with pytest.raises(UserError, match=r'001.Black_footed_Albatross is for training and for the test'):
        prepare()


def test_lists_that_match_no_image_are_refused(manual, prepare):
    lists = {'train': ('150.No_Bird',), 'test': ('151.No_Other_Bird',)}
    unpack(manual, cub_files() | texts() | text_archives.class_lists(lists))
    with pytest.raises(UserError, match='cub200_captions has no usable image in train'):
        prepare()


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        ([np.zeros((10, 1024), np.float32)], 'does not hold embeddings of the 9 images'),
        ([np.zeros((5, 1024), np.float32)] * 9, r'has embeddings of shape \(5, 1024\) for 001.*, not \(10, 1024\)'),
        ([1.0] * 9, 'has embeddings of shape None for'),
        (7, 'does not hold embeddings of the 9 images'),
    ],
)
def test_embeddings_of_wrong_shape_are_reported_in_a_line(manual, prepare, rows, message):
    release = text_archives.release_files(cub_names())
    release['train/char-CNN-RNN-embeddings.pickle'] = pickle.dumps(rows, protocol=2)
    unpack(manual, cub_files() | texts() | release)
    with pytest.raises(UserError, match=message):
        prepare('with_embeddings')


def test_hostile_names_are_refused_and_the_lists_are_taken(manual, prepare, capsys):
    hostile = b"cos\nsystem\n(S'true'\ntR."
    unpack(manual, cub_files() | texts() | {'birds/train/filenames.pickle': hostile})
    prepare()
    assert "filenames.pickle is refused: it asks for 'os.system'" in capsys.readouterr().out


def test_images_without_captions_or_with_few_are_counted(manual, prepare, capsys):
    files = texts()
    first, second = sorted(name for name in files if name.endswith('.txt') and 'text_c10' in name)[:2]
    del files[first]
    files[second] = b'one caption'
    unpack(manual, cub_files() | files)
    prepare()
    said = capsys.readouterr().out
    assert '1 images of train have no caption' in said
    assert '1 images of train have fewer than 10 captions' in said


def test_archives_are_found_up_to_two_folders_deeper(manual, prepare):
    text_archives.make_cub(manual / 'birds and more' / 'cub', embeddings=False)
    assert prepare().info.splits['train'].num_examples == 9
