import tarfile
import zipfile

import numpy as np
import pytest
from folder_source import crops, passes, source
from image_files import photograph, save

from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.data.image_folder.listing import list_images
from stackgan_tf.system.errors import UserError


@pytest.fixture
def files(tmp_path):
    """Six images with captions as img2dataset writes them, and a folder of another program."""
    folder = tmp_path / 'files'
    for number in range(6):
        save(folder / f'{number:05}.jpg', photograph(40, 60, number))
        (folder / f'{number:05}.txt').write_text(f'image {number}')
        (folder / f'{number:05}.json').write_text('{"caption": "not read"}')
    save(folder / '__MACOSX' / '._0.jpg')
    return folder


def pack(folder, path, names=None):
    names = sorted(each.relative_to(folder).as_posix() for each in folder.rglob('*') if each.is_file())
    path.parent.mkdir(exist_ok=True)
    if path.suffix == '.zip':
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.write(folder / name, name)
    else:
        with tarfile.open(path, f'w{":gz" if path.suffix == ".gz" else ""}') as archive:
            for name in names:
                archive.add(folder / name, f'./{name}')
    return path


@pytest.mark.parametrize('suffix', ['.tar', '.zip'])
@pytest.mark.parametrize('alone', [True, False])
def test_an_archive_is_read_like_its_files(files, tmp_path, suffix, alone, capsys):
    path = pack(files, tmp_path / 'packed' / f'00000{suffix}')
    folder = source(path if alone else path.parent)
    assert folder.captions().texts.tolist() == [f'image {number}'.encode() for number in range(6)]
    assert 'passed over folders of other programs: 1 __MACOSX' in capsys.readouterr().out
    np.testing.assert_array_equal(crops(folder, range(6)), crops(source(files), range(6)))
    assert passes(capsys) == 1
    source(path if alone else path.parent)
    assert passes(capsys) == 0
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]  # nothing is unpacked


def test_shards_are_no_classes_but_split(files, tmp_path):
    for name in ('train-00000', 'train-00001', 'val-00000'):
        pack(files, tmp_path / 'packed' / f'{name}.tar')
    found = list_images(tmp_path / 'packed', 'train', 0.1)
    assert (len(found.files), found.class_names) == (12, [])
    assert len(list_images(tmp_path / 'packed', 'test', 0.1).files) == 6


def test_archives_of_classes(files, tmp_path):
    for text in files.glob('*.txt'):
        text.unlink()
    for text in files.glob('*.json'):
        text.unlink()
    for name in ('owl', 'wren'):
        pack(files, tmp_path / 'packed' / f'{name}.zip')
    assert source(tmp_path / 'packed').class_names == ['owl', 'wren']


def test_archives_next_to_images_may_be_copies_of_them(files):
    pack(files, files / 'copy.zip')
    found = list_images(files, 'train', 0.0)
    assert len(found.files) == 6
    assert 'passed over: 1 .zip' in found.notes


def test_a_table_in_an_archive(tmp_path):
    save(tmp_path / 'files' / 'images' / 'a.jpg')
    (tmp_path / 'files' / 'metadata.csv').write_text('file_name,text\nimages/a.jpg,a bird\n')
    path = pack(tmp_path / 'files', tmp_path / 'packed' / 'data.zip')
    assert list_images(path, 'train', 0.0).annotation('images/a.jpg').captions == ('a bird',)
    found = list_images(path.parent, 'train', 0.0)
    assert found.annotation('data.zip/images/a.jpg').captions == ('a bird',)


def test_an_archive_that_is_cut_short(files, tmp_path, capsys):
    path = pack(files, tmp_path / 'packed' / 'cut.tar')
    with tarfile.open(path) as archive:
        last = archive.getmember('./00005.jpg')
    path.write_bytes(path.read_bytes()[: last.offset_data + 100])
    folder = source(path)
    assert folder.count == 5
    output = capsys.readouterr().out
    assert '1 folders may not be read: ' in output
    assert '00005.jpg: its archive is cut short' in output


def test_archives_that_cannot_be_read_in_place(files, tmp_path):
    path = pack(files, tmp_path / 'packed' / 'all.tar.gz')
    with pytest.raises(UserError, match=r'all.tar.gz is compressed as a whole, .*: unpack it'):
        ImageFolder(str(path), (8,))
    with pytest.raises(UserError, match=r'has no images .*; it has 1 .gz'):
        ImageFolder(str(path.parent), (8,))
    (tmp_path / 'broken.zip').write_bytes(b'no archive')
    with pytest.raises(UserError, match=r'broken.zip is not a tar or zip archive, or broken'):
        ImageFolder(str(tmp_path / 'broken.zip'), (8,))
    save(tmp_path / 'folder' / 'a.png')
    (tmp_path / 'folder' / 'broken.tar').write_bytes(b'no archive')
    assert len(list_images(tmp_path / 'folder', 'train', 0.0).files) == 1


def test_a_damaged_member_is_named_and_skipped(files, tmp_path, capsys):
    path = pack(files, tmp_path / 'packed' / 'data.zip')
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo('00002.jpg').header_offset + 60
    content[at : at + 40] = bytes(40)
    path.write_bytes(content)
    assert source(path).count == 5
    assert '00002.jpg: ' in capsys.readouterr().out
