import json
import shutil
import tempfile
from pathlib import Path

import pytest
import tensorflow_datasets as tfds
import text_archives
from text_archives import below, coco_annotations, coco_files, coco_names, examples, unpack

from stackgan_tf.data.published.coco2014_captions.coco2014_captions_dataset_builder import ANNOTATIONS, IMAGES, Builder
from stackgan_tf.system.errors import UserError


class Coco2014CaptionsTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    SPLITS = {'train': 4, 'test': 4}
    DL_DOWNLOAD_RESULT = 'downloaded/train2014.zip'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.EXAMPLE_DIR)
        text_archives.make_coco(cls.EXAMPLE_DIR)
        (Path(cls.EXAMPLE_DIR) / 'downloaded').mkdir()
        shutil.move(f'{cls.EXAMPLE_DIR}/train2014.zip', f'{cls.EXAMPLE_DIR}/downloaded')


@pytest.fixture
def manual(tmp_path):
    return tmp_path / 'manual'


@pytest.fixture
def prepare(tmp_path, manual):
    return lambda config=None: text_archives.prepared(Builder, tmp_path / 'data', manual, config)


def annotation_files(train, test=None):
    contents = {'captions_train2014.json': train, 'captions_val2014.json': test or coco_annotations('test')}
    return {f'annotations/{name}': json.dumps(content).encode() for name, content in contents.items()}


@pytest.mark.parametrize('packed', [True, False])
def test_everything_is_as_published(manual, prepare, packed):
    text_archives.make_coco(manual, packed, embeddings=False)
    builder = prepare()
    for split, folder in (('train', 'train2014'), ('test', 'val2014')):
        found, files = examples(builder, split), coco_files(split)
        assert list(found) == coco_names()[split]
        for number, name in enumerate(coco_names()[split]):
            assert found[name]['image'] == files[f'{folder}/{name}.jpg']
            captions = [text.decode() for text in found[name]['captions']]
            assert captions == text_archives.captions_of(number, 5, 'a dog')
    assert 'label' not in builder.info.features


def test_everything_has_a_link_and_a_checksum():
    for archive in (ANNOTATIONS, *IMAGES.values()):
        info = Builder.url_infos[archive.url]
        assert (info.size, info.checksum, info.filename) == (archive.size, archive.sha256, archive.name)


def test_everything_is_downloaded_if_it_is_missing(tmp_path, monkeypatch):
    """Without any `manual_dir` everything is downloaded."""
    text_archives.make_coco(tmp_path / 'server', embeddings=False)
    urls = {archive.url: tmp_path / 'server' / archive.name for archive in (ANNOTATIONS, *IMAGES.values())}
    monkeypatch.setattr(tfds.download.DownloadManager, 'download', lambda _, url: urls[url])
    builder = Builder(data_dir=str(tmp_path / 'data'))
    builder.download_and_prepare()
    assert list(examples(builder, 'test')) == coco_names()['test']


def test_embeddings_are_those_of_their_images(manual, prepare, capsys):
    text_archives.make_coco(manual, embeddings=False)
    names = {split: list(reversed(listed)) for split, listed in coco_names().items()}
    names['train'] = [*names['train'][1:], 'COCO_train2014_000000999999']
    unpack(manual, below('coco', text_archives.release_files(names, 5)))
    builder = prepare('with_embeddings')
    found = examples(builder, 'train')
    assert set(found) == set(names['train'][:-1])
    for number, name in enumerate(names['train'][:-1]):
        assert found[name]['embeddings'].shape == (5, 1024)
        assert (found[name]['embeddings'] == number).all()
    assert len(examples(builder, 'test')) == 4
    assert 'images that are in no split: 1 passed over' in capsys.readouterr().out


def test_embeddings_of_the_training_images_are_enough(manual, prepare, capsys):
    text_archives.make_coco(manual)
    (manual / 'coco/test/char-CNN-RNN-embeddings.pickle').unlink()
    assert list(prepare('with_embeddings').info.splits) == ['train']
    assert 'the split test is not prepared' in capsys.readouterr().out


@pytest.mark.parametrize('there', [True, False])
def test_missing_embeddings_are_requested_in_a_line(manual, prepare, there):
    if there:
        text_archives.make_coco(manual, embeddings=False)
    with pytest.raises(UserError, match=rf'{manual}.*: put coco/ of StackGAN there, unpacked') as error:
        prepare('with_embeddings')
    assert '\n' not in str(error.value)


def test_differences_from_the_paper_are_reported(manual, prepare, capsys):
    text_archives.make_coco(manual, embeddings=False)
    prepare()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if 'expected' in line] == [
        'coco2014_captions: images in train: 4 found, 82,783 expected, as in the paper',
        'coco2014_captions: images in test: 4 found, 40,504 expected, as in the paper',
    ]


def test_bad_images_and_captions_are_left_out(manual, prepare, capsys):
    names = coco_names()['train']
    images, annotations = coco_files('train'), coco_annotations('train')
    images[f'train2014/{names[0]}.jpg'] = b'not an image'
    images[f'train2014/{names[1]}.jpg'] = text_archives.jpeg(1, 'L')
    unknown = text_archives.jpeg(2)
    images['train2014/COCO_train2014_000000000077.jpg'] = unknown
    first = int(names[1][-12:])
    kept = [row for row in annotations['annotations'] if row['image_id'] != first]
    odd = [' \ud83d\ud83d a dog\n', '', '\ufffd\ufffd', 'a\ufffd\ufffdcat', 'one', 'two', 'three', 'four']
    annotations['annotations'] = kept + [{'image_id': first, 'id': n, 'caption': odd[n]} for n in range(len(odd))]
    annotations['annotations'].append({'image_id': 123456, 'id': 99, 'caption': 'of no image'})
    annotations['images'].append({'id': 55, 'file_name': 'COCO_train2014_000000000055.jpg'})
    unpack(manual, {**images, **coco_files('test'), **annotation_files(annotations)})
    found, said = examples(prepare(), 'train'), capsys.readouterr().out
    assert set(found) == {*names[1:], 'COCO_train2014_000000000077'}
    assert found[names[1]]['image'] == text_archives.jpeg(1, 'L')
    assert found[names[1]]['captions'].tolist() == [b'a dog', b'a cat', b'one', b'two', b'three', b'four']
    assert not len(found['COCO_train2014_000000000077']['captions'])
    assert f'{names[0]}.jpg cannot be used and is left out' in said
    assert 'captions of images that are not there: 1 passed over' in said


@pytest.mark.parametrize('content', [b'{"images": [', b'[]', b'{"images": 3, "annotations": []}', b'\xff\xfe'])
def test_broken_annotations_are_reported_in_a_line(manual, prepare, content):
    files = annotation_files(coco_annotations('train')) | {'annotations/captions_train2014.json': content}
    unpack(manual, {**coco_files('train'), **coco_files('test'), **files})
    with pytest.raises(UserError, match=r'captions_train2014.json is broken.*fetch it again') as error:
        prepare()
    assert '\n' not in str(error.value)


def test_missing_annotations_are_reported_in_a_line(manual, prepare):
    unpack(manual, {**coco_files('train'), **coco_files('test'), 'annotations/captions_val2014.json': b'{}'})
    with pytest.raises(
        UserError, match=r'annotations has no captions_train2014.json: put annotations_trainval2014.zip'
    ):
        prepare()


@pytest.mark.parametrize('name', ['train2014.zip', 'val2014.zip', 'annotations_trainval2014.zip'])
def test_truncated_archive_is_reported_in_a_line(manual, prepare, name):
    text_archives.make_coco(manual, embeddings=False)
    content = (manual / name).read_bytes()
    (manual / name).write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(UserError, match=rf'{name} is cut short.*fetch it again') as error:
        prepare()
    assert '\n' not in str(error.value)


def test_a_damaged_image_in_a_zip_is_left_out(manual, prepare, capsys):
    text_archives.make_coco(manual, embeddings=False)
    path = manual / 'train2014.zip'
    content = bytearray(path.read_bytes())
    content[200] ^= 255
    path.write_bytes(content)
    assert prepare().info.splits['train'].num_examples == 3
    assert 'cannot be read and is left out' in capsys.readouterr().out


def test_the_archive_takes_precedence_over_a_half_unpacked_folder(manual, prepare):
    text_archives.make_coco(manual, embeddings=False)
    name, content = next(iter(coco_files('train').items()))
    unpack(manual, {name: content})
    assert prepare().info.splits['train'].num_examples == 4
