import tempfile

import image_archives
import pytest
import tensorflow_datasets as tfds

from stackgan_tf.data.published import tfds_shards
from stackgan_tf.data.published.lsun_scenes import database as database_module
from stackgan_tf.data.published.lsun_scenes.database import Database
from stackgan_tf.data.published.lsun_scenes.lsun_scenes_dataset_builder import Builder
from stackgan_tf.system.errors import UserError


class LsunScenesTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ['church_outdoor']
    SPLITS = {'train': 5, 'test': 2}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.EXAMPLE_DIR = tempfile.mkdtemp()
        image_archives.make_lsun(cls.EXAMPLE_DIR, 'church_outdoor', 5, encoding='JPEG')
        image_archives.make_lsun(cls.EXAMPLE_DIR, 'church_outdoor', 2, 'val', encoding='JPEG', first=10)


def prepared(folder, data, config='bedroom'):
    builder = Builder(config=config, data_dir=str(data))
    settings = tfds.download.DownloadConfig(manual_dir=str(folder), try_download_gcs=False)
    builder.download_and_prepare(download_config=settings)
    return builder


def contents(builder, split='train'):
    examples = builder.as_dataset(split=split, decoders={'image': tfds.decode.SkipDecoding()})
    return [example['image'] for example in examples.as_numpy_iterator()]


def originals(numbers, encoding):
    return {image_archives.encoded(number, encoding) for number in numbers}


@pytest.mark.parametrize('zipped', [False, True])
@pytest.mark.parametrize('encoding', ['WEBP', 'JPEG'])
def test_images_keep_their_bytes(tmp_path, capsys, zipped, encoding):
    image_archives.make_lsun(tmp_path, 'bedroom', 4, encoding=encoding, zipped=zipped)
    image_archives.make_lsun(tmp_path, 'bedroom', 2, 'val', encoding, zipped, first=10)
    builder = prepared(tmp_path, tmp_path / 'data')
    assert set(contents(builder)) == originals(range(4), encoding)
    assert set(contents(builder, 'test')) == originals((10, 11), encoding)
    said = capsys.readouterr().out
    assert 'lsun_scenes/bedroom: images in train: 4 found, 3,033,042 expected' in said
    assert ('Unpacking' in said) == zipped


def test_zip_is_unpacked_once(tmp_path, capsys):
    image_archives.make_lsun(tmp_path, 'bedroom', 2, zipped=True)
    for name in ('one', 'two'):
        builder = Builder(config='bedroom', data_dir=str(tmp_path / name))
        settings = tfds.download.DownloadConfig(manual_dir=str(tmp_path), try_download_gcs=False)
        builder.download_and_prepare(download_dir=str(tmp_path / 'downloads'), download_config=settings)
        assert len(contents(builder)) == 2
    assert capsys.readouterr().out.count('Unpacking') == 1
    assert not list(tmp_path.rglob('.data.mdb.*'))


def test_zip_that_does_not_fit_on_the_disk(tmp_path, monkeypatch):
    image_archives.make_lsun(tmp_path, 'bedroom', 2, zipped=True)
    monkeypatch.setattr('shutil.disk_usage', lambda _: type('Usage', (), {'free': 1000}))
    with pytest.raises(UserError, match=r'unpacking .*lmdb.zip takes 0\.0 GB in .*where 0\.0 GB are free'):
        prepared(tmp_path, tmp_path / 'data')


def test_missing_val_set_is_left_out(tmp_path, capsys):
    image_archives.make_lsun(tmp_path, 'bedroom', 2)
    assert list(prepared(tmp_path, tmp_path / 'data').info.splits) == ['train']
    assert 'bedroom_val_lmdb.zip is not in' in capsys.readouterr().out


def test_disk_may_be_read_only(tmp_path):
    path = image_archives.make_lsun(tmp_path, 'bedroom', 3)
    for file in (path / 'data.mdb', path):
        file.chmod(file.stat().st_mode & ~0o222)
    before = (path / 'data.mdb').stat()
    assert len(contents(prepared(tmp_path, tmp_path / 'data'))) == 3
    path.chmod(0o755)
    assert [file.name for file in path.iterdir()] == ['data.mdb']
    assert (path / 'data.mdb').stat().st_mtime_ns == before.st_mtime_ns


def test_bad_images_are_left_out_with_a_line_each(tmp_path, capsys):
    image_archives.make_lsun(tmp_path, 'bedroom', 6, bad=12)
    assert set(contents(prepared(tmp_path, tmp_path / 'data'))) == originals(range(6), 'WEBP')
    said = capsys.readouterr().out
    assert said.count('cannot be used and is left out') == 10
    assert '12 images cannot be used' in said
    assert 'bedroom_train_lmdb: ' in said


def test_only_bad_images(tmp_path):
    image_archives.make_lsun(tmp_path, 'bedroom', 0, bad=2)
    with pytest.raises(UserError, match='no usable image in train'):
        prepared(tmp_path, tmp_path / 'data')


def test_images_are_distributed_over_files_and_the_database_is_reopened(tmp_path, monkeypatch):
    """The last files stay empty if many images are bad."""
    image_archives.make_lsun(tmp_path, 'bedroom', 12, bad=12)
    monkeypatch.setattr(tfds_shards, '_FILE_BYTES', 12_000)
    monkeypatch.setattr(database_module, '_READ_BYTES', 5_000)
    builder = prepared(tmp_path, tmp_path / 'data')
    assert builder.info.splits['train'].shard_lengths == [8, 4, 0]
    assert sorted(contents(builder)) == sorted(originals(range(12), 'WEBP'))


def test_every_image_is_read_once_in_the_order_of_keys(tmp_path, monkeypatch):
    path = image_archives.make_lsun(tmp_path, 'bedroom', 9)
    monkeypatch.setattr(database_module, '_READ_BYTES', 1)
    database = Database(path)
    keys = [key for key, _ in database.images()]
    assert keys == sorted(set(keys))
    assert len(keys) == database.count == 9


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match=r'no_folder is not there or empty: put bedroom_train_lmdb.zip there'):
        prepared(tmp_path / 'no_folder', tmp_path / 'data')
    with pytest.raises(UserError, match=f'{tmp_path}: put it there, or its bedroom_train_lmdb/'):
        prepared(tmp_path, tmp_path / 'data')


@pytest.mark.parametrize('kept', [0, 1000, 5000, 8192, 20_000, 0.5, 0.99])
def test_truncated_database(tmp_path, kept):
    file = image_archives.make_lsun(tmp_path, 'bedroom', 30) / 'data.mdb'
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(
        UserError, match=r'data\.mdb is (cut short|not an LMDB database).*unpack bedroom_train_lmdb\.zip'
    ):
        prepared(tmp_path, tmp_path / 'data')


def test_folder_without_database_and_broken_zip(tmp_path):
    (tmp_path / 'bedroom_train_lmdb').mkdir()
    with pytest.raises(UserError, match=r'put it there, or its bedroom_train_lmdb/'):
        prepared(tmp_path, tmp_path / 'data')
    (tmp_path / 'bedroom_train_lmdb').rmdir()
    zipped = image_archives.make_lsun(tmp_path, 'bedroom', 3, zipped=True)
    zipped.write_bytes(zipped.read_bytes()[:-300])
    with pytest.raises(UserError, match=r'bedroom_train_lmdb\.zip is cut short'):
        prepared(tmp_path, tmp_path / 'data')


def test_damaged_zip_leaves_nothing_behind(tmp_path):
    zipped = image_archives.make_lsun(tmp_path, 'bedroom', 3, zipped=True)
    content = bytearray(zipped.read_bytes())
    content[2000:2010] = bytes(10)
    zipped.write_bytes(content)
    with pytest.raises(UserError, match='cannot be read to its end'):
        prepared(tmp_path, tmp_path / 'data')
    assert not list((tmp_path / 'data').rglob('*data.mdb'))
