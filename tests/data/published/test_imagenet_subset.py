import tarfile
import tempfile
import warnings

import image_archives
import pytest
import tensorflow_datasets as tfds
from image_files import photograph

from stackgan_tf.data.published.imagenet_subset.classes import class_ids
from stackgan_tf.data.published.imagenet_subset.imagenet_subset_dataset_builder import Builder
from stackgan_tf.data.published.imagenet_subset.stored_images import stored_images
from stackgan_tf.system.errors import UserError

FORMS = ('tar', 'tars', 'folder')


class ImagenetSubsetTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ['cat']
    SPLITS = {'train': 10}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        image_archives.make_imagenet(cls.EXAMPLE_DIR)


def prepared(folder, data, config='cat'):
    builder = Builder(config=config, data_dir=str(data))
    settings = tfds.download.DownloadConfig(manual_dir=str(folder), try_download_gcs=False)
    builder.download_and_prepare(download_config=settings)
    return builder


def examples(builder):
    found = builder.as_dataset(split='train', decoders={'image': tfds.decode.SkipDecoding()})
    return [(int(example['label']), example['image']) for example in found.as_numpy_iterator()]


def test_classes_are_those_of_the_released_code():
    dogs, cats = class_ids('dog'), class_ids('cat')
    assert len(dogs) == 118
    assert (dogs[0], dogs[-1]) == ('n02085620', 'n02113978')
    assert 'n02110341' in dogs  # dalmatian
    assert not {'n02114367', 'n02115641', 'n02115913', 'n02116738'} & set(dogs)  # wolf, dingo, dhole, hunting dog
    assert cats == ['n02123045', 'n02123159', 'n02123394', 'n02123597', 'n02124075']


@pytest.mark.parametrize('form', FORMS)
def test_images_keep_their_bytes_and_have_their_labels(tmp_path, capsys, form):
    image_archives.make_imagenet(tmp_path, 'cat', 3, form)
    builder = prepared(tmp_path, tmp_path / 'data')
    expected = [(label, image_archives.encoded(1000 * label + n)) for label in range(5) for n in range(3)]
    assert sorted(examples(builder)) == sorted(expected)
    assert builder.info.features['label'].names == class_ids('cat')
    assert 'imagenet_subset/cat: images in train: 15 found, 6,500 expected' in capsys.readouterr().out


def test_every_form_gives_the_same_order_and_classes_are_mixed(tmp_path):
    made = []
    for form in FORMS:
        image_archives.make_imagenet(tmp_path / form, 'cat', 4, form)
        made.append(examples(prepared(tmp_path / form, tmp_path / form / 'data')))
    assert made[0] == made[1] == made[2]
    labels = [label for label, _ in made[0]]
    assert labels != sorted(labels)


def test_dogs(tmp_path):
    image_archives.make_imagenet(tmp_path, 'dog', 1)
    assert sorted(label for label, _ in examples(prepared(tmp_path, tmp_path / 'data', 'dog'))) == list(range(118))


def test_tar_files_of_other_classes_are_passed_over(tmp_path):
    """One of them has 4 TB: reading it would take more than a day."""
    path = image_archives.make_imagenet(tmp_path, 'cat', 1, others=())
    with tarfile.open(tmp_path / 'ILSVRC2012_img_train.tar') as archive:
        inner = {member.name: archive.extractfile(member).read() for member in archive}
    enormous = tarfile.TarInfo('n01440764.tar')
    enormous.size = 4 << 40
    with path.open('wb') as file:
        file.write(enormous.tobuf(tarfile.GNU_FORMAT))
        file.truncate(file.tell() + enormous.size)
        file.seek(0, 2)
        image_archives.write_tar(tmp_path / 'rest.tar', inner)
        file.write((tmp_path / 'rest.tar').read_bytes())
    assert len(stored_images(path, class_ids('cat'))) == 5


def test_png_and_cmyk_are_kept_and_bad_images_are_left_out(tmp_path, capsys):
    folder = image_archives.make_imagenet(tmp_path, 'cat', 1, 'folder') / 'n02123045'
    photograph().save(folder / 'n02123045_7.JPEG', 'PNG')
    photograph().convert('CMYK').save(folder / 'n02123045_8.JPEG', 'JPEG')
    (folder / 'n02123045_9.JPEG').write_bytes(image_archives.cut_short(image_archives.encoded(9)))
    (folder / 'n02123045_10.JPEG').write_bytes(b'')
    (folder / 'notes.txt').write_text('not an image')
    found = examples(prepared(tmp_path, tmp_path / 'data'))
    for name in ('n02123045_7.JPEG', 'n02123045_8.JPEG'):
        assert (0, (folder / name).read_bytes()) in found
    assert len(found) == 7
    said = capsys.readouterr().out
    assert 'n02123045_9.JPEG cannot be used and is left out' in said
    assert 'n02123045_10.JPEG cannot be used and is left out' in said
    assert 'notes.txt' not in said


def test_pillows_warnings_are_hidden(tmp_path):
    folder = image_archives.make_imagenet(tmp_path, 'cat', 1, 'folder') / 'n02123045'
    broken = b'Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0\x01\0\0\0'
    photograph().save(folder / 'n02123045_7.JPEG', exif=broken)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        assert len(examples(prepared(tmp_path, tmp_path / 'data'))) == 6
    assert not [warning for warning in caught if 'EXIF' in str(warning.message)]


def test_files_that_cannot_be_read_are_left_out(tmp_path, monkeypatch, capsys):
    image_archives.make_imagenet(tmp_path, 'cat', 1, 'folder')
    read = Builder._shard_iterators_per_split

    def removed_in_between(self, downloads):
        splits = read(self, downloads)
        (tmp_path / 'train/n02123394/n02123394_0.JPEG').unlink()
        return splits

    monkeypatch.setattr(Builder, '_shard_iterators_per_split', removed_in_between)
    assert len(examples(prepared(tmp_path, tmp_path / 'data'))) == 4
    assert 'n02123394_0.JPEG cannot be read and is left out: No such file' in capsys.readouterr().out


def test_missing_classes_are_reported(tmp_path, capsys):
    path = image_archives.make_imagenet(tmp_path, 'cat', 1, 'tars')
    (path / 'n02123597.tar').unlink()
    assert len(examples(prepared(tmp_path, tmp_path / 'data'))) == 4
    assert 'has no images of 1 of the 5 classes, for example n02123597' in capsys.readouterr().out


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match=r'no_folder is not there or empty: put ILSVRC2012_img_train.tar there'):
        prepared(tmp_path / 'no_folder', tmp_path / 'data')
    with pytest.raises(UserError, match=f'{tmp_path}: put it there, or its train/'):
        prepared(tmp_path, tmp_path / 'data')
    (tmp_path / 'train' / 'filenames').mkdir(parents=True)  # of another data set
    with pytest.raises(UserError, match=f'{tmp_path}: put it there, or its train/'):
        prepared(tmp_path, tmp_path / 'data')
    (tmp_path / 'train' / 'n01440764').mkdir()
    with pytest.raises(UserError, match=r'no image of the 5 classes: .*n02123045 or n02123045\.tar'):
        prepared(tmp_path, tmp_path / 'data')


def test_truncated_tar_is_named(tmp_path):
    path = image_archives.make_imagenet(tmp_path, 'cat', 2, others=())
    content = path.read_bytes()
    for kept in (10, 700, len(content) // 2):
        path.write_bytes(content[:kept])
        with pytest.raises(UserError, match=r'ILSVRC2012_img_train\.tar is cut short'):
            prepared(tmp_path, tmp_path / 'data')
        with pytest.raises(UserError, match=r'ILSVRC2012_img_train\.tar cannot be read to its end'):
            stored_images(path, class_ids('cat'))


def test_truncated_tar_of_a_class_is_named(tmp_path):
    folder = image_archives.make_imagenet(tmp_path, 'cat', 2, 'tars')
    tar = folder / 'n02123159.tar'
    tar.write_bytes(tar.read_bytes()[:1500])
    with pytest.raises(UserError, match=r'class n02123159 in .*n02123159\.tar cannot be read to its end'):
        prepared(tmp_path, tmp_path / 'data')
