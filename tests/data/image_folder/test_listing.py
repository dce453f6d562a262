import os
import subprocess
import sys

import pytest

from stackgan_tf.data.image_folder import listing
from stackgan_tf.data.image_folder.listing import list_images
from stackgan_tf.data.image_folder.metadata import Annotation
from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'x')


def names(root, split='train', test_fraction=0.0):
    return [file.name for file in list_images(root, split, test_fraction).files]


def test_it_finds_every_kind_at_any_depth_and_nothing_else(tmp_path):
    kinds = ['a.jpg', 'b.JPEG', 'c/d.png', 'c/e/f.webp', 'g.gif', 'h.bmp', 'i.tif', 'j.tiff']
    touch(tmp_path, *kinds, 'notes.txt', '.hidden.jpg', '.thumbnails/k.jpg', 'l.heic')
    assert names(tmp_path) == sorted(kinds)
    assert list_images(tmp_path, 'train', 0.0).notes == ['passed over: 1 .heic, 1 .txt']


def test_odd_names(tmp_path):
    odd = ['with space.jpg', 'new\nline.jpg', 'bird ✓.jpg', os.fsdecode(b'caf\xe9.jpg')]
    touch(tmp_path, *odd)
    assert names(tmp_path) == sorted(odd)
    assert [printable(name) for name in odd[:3]] == ['with space.jpg', r"'new\nline.jpg'", 'bird ✓.jpg']
    assert printable(odd[3]).isascii()


def test_the_split_of_an_image_depends_on_its_name_alone(tmp_path):
    touch(tmp_path, *(f'{i}.png' for i in range(400)))
    train, test = names(tmp_path, 'train', 0.25), names(tmp_path, 'test', 0.25)
    assert sorted(train + test) == sorted(f'{i}.png' for i in range(400))
    assert 70 < len(test) < 130
    touch(tmp_path, *(f'more/{i}.png' for i in range(100)))
    assert [name for name in names(tmp_path, 'test', 0.25) if '/' not in name] == test
    assert len(names(tmp_path, 'train', 0.0)) == 500


def test_given_splits_and_what_lies_outside(tmp_path):
    touch(tmp_path, 'train/a.jpg', 'train/deep/b.jpg', 'test/c.jpg', 'other/d.jpg')
    assert names(tmp_path, 'train', 0.5) == ['train/a.jpg', 'train/deep/b.jpg']
    assert names(tmp_path, 'test', 0.5) == ['test/c.jpg']
    assert list_images(tmp_path, 'test', 0.5).notes == ['1 images outside train/ and test/ are not used']


def test_a_split_without_images(tmp_path):
    touch(tmp_path, 'train/a.jpg')
    with pytest.raises(UserError, match='no images in test/; 1 in all'):
        list_images(tmp_path, 'test', 0.5)
    touch(tmp_path / 'flat', 'a.jpg')
    with pytest.raises(UserError, match='test_fraction decides'):
        list_images(tmp_path / 'flat', 'test', 0.0)


def test_sub_folders_are_classes_if_all_images_lie_in_them(tmp_path):
    touch(tmp_path, 'train/wren/a.jpg', 'train/owl/b.jpg', 'test/owl/c.jpg', 'test/owl/deep/d.jpg')
    touch(tmp_path, 'val/owl/e.jpg', 'cover.jpg')  # not used, so they are not classes
    found = list_images(tmp_path, 'test', 0.0)
    assert found.class_names == ['owl', 'wren']
    assert [found.label(file.name) for file in found.files] == [0, 0]
    assert list_images(tmp_path, 'train', 0.0).label('train/wren/a.jpg') == 1


@pytest.mark.parametrize('files', [('images/a.jpg', 'images/b.jpg'), ('one/a.jpg', 'two/b.jpg', 'c.jpg')])
def test_other_sub_folders_are_not(tmp_path, files):
    touch(tmp_path, *files)
    found = list_images(tmp_path, 'train', 0.0)
    assert found.class_names == []
    assert found.label(files[0]) == -1


def test_metadata_of_any_folder(tmp_path):
    touch(tmp_path, 'train/a.jpg', 'train/b.jpg', 'test/sub/c.jpg')
    (tmp_path / 'metadata.csv').write_text('file_name,text\ntrain/a.jpg,from the root\n')
    (tmp_path / 'test' / 'sub' / 'metadata.jsonl').write_text('{"file_name": "c.jpg", "text": "from its folder"}\n')
    assert list_images(tmp_path, 'train', 0).annotation('train/a.jpg').captions == ('from the root',)
    found = list_images(tmp_path, 'test', 0)
    assert found.annotation('test/sub/c.jpg').captions == ('from its folder',)
    assert found.notes == ['1 images are not in the metadata: they have no captions']
    (tmp_path / 'metadata.jsonl').touch()
    with pytest.raises(UserError, match=r'has both metadata.jsonl and metadata.csv: keep one'):
        list_images(tmp_path, 'train', 0)


def test_two_metadata_files_of_one_image(tmp_path):
    touch(tmp_path, 'sub/a.jpg', 'b.jpg')
    (tmp_path / 'metadata.jsonl').write_text('{"file_name": "sub/a.jpg", "text": "one", "bbox": [1, 2, 3, 4]}\n')
    above = '{"file_name": "../b.jpg", "text": "three"}'
    (tmp_path / 'sub' / 'metadata.jsonl').write_text(f'{{"file_name": "a.jpg", "text": "two"}}\n{above}\n')
    found = list_images(tmp_path, 'train', 0)
    assert found.annotation('sub/a.jpg') == Annotation(('one', 'two'), (1, 2, 3, 4))
    assert found.annotation('b.jpg').captions == ('three',)
    assert found.notes == ['1 images are named by several metadata files: their captions are put together']


def test_images_in_run_directories_are_not_used(tmp_path):
    touch(tmp_path, 'owl/a.jpg', 'wren/b.jpg', 'runs/mine/tree/samples/step_000100.png', 'wren/config.gin')
    touch(tmp_path, 'runs/mine/config.gin', 'runs/mine/environment.json')
    found = list_images(tmp_path, 'train', 0)
    assert [file.name for file in found.files] == ['owl/a.jpg', 'wren/b.jpg']
    assert found.class_names == ['owl', 'wren']
    assert 'passed over what runs made: runs/mine' in found.notes
    assert len(list_images(tmp_path / 'runs' / 'mine', 'train', 0).files) == 1  # asked for by name


def test_missing_images_of_the_metadata_are_counted_and_listed_up_to_ten(tmp_path):
    touch(tmp_path, 'a.jpg')
    missing = ''.join(f'no{i:02}.jpg,x\n' for i in range(12))
    (tmp_path / 'metadata.csv').write_text(f'file_name,text\na.jpg,x\n"new\nline.jpg",x\n{missing}')
    (note,) = list_images(tmp_path, 'train', 0).notes
    assert note.startswith(r"the metadata name 13 images that are not there: 'new\nline.jpg', no00.jpg, ")
    assert note.endswith('no08.jpg, ...')


def test_metadata_that_name_an_image_twice_are_reported(tmp_path):
    touch(tmp_path, 'a.jpg')
    (tmp_path / 'metadata.csv').write_text('file_name,text\na.jpg,x\na.jpg,y\n')
    assert 'names 1 images again' in list_images(tmp_path, 'train', 0).notes[0]


def test_equal_names_in_two_folders_are_two_images(tmp_path):
    touch(tmp_path, 'one/1.jpg', 'two/1.jpg', 'one/1.png', 'one/1.JPG')
    assert len(names(tmp_path)) == 4


def test_links_are_followed_once(tmp_path):
    touch(tmp_path / 'elsewhere', 'a.jpg')
    root = tmp_path / 'root'
    touch(root, 'b.jpg')
    (root / 'linked').symlink_to(tmp_path / 'elsewhere')
    (root / 'loop').symlink_to(root)
    (root / 'broken.jpg').symlink_to(root / 'nowhere.jpg')
    assert names(root) == ['b.jpg', 'broken.jpg', 'linked/a.jpg']


def test_pipes_folders_and_links_that_are_named_like_images(tmp_path):
    touch(tmp_path, 'a.jpg', 'folder.jpg/b.png')
    os.mkfifo(tmp_path / 'pipe.jpg')
    (tmp_path / 'empty.JPG').mkdir()
    (tmp_path / 'loop.jpg').symlink_to('loop.jpg')
    # All but the folder with images are reported as bad files when they are read.
    assert names(tmp_path) == ['a.jpg', 'empty.JPG', 'folder.jpg/b.png', 'loop.jpg', 'pipe.jpg']


def test_folders_deeper_than_python_can_recurse(tmp_path):
    name = '/'.join(['d'] * (sys.getrecursionlimit() + 100)) + '/a.jpg'
    subprocess.run(['mkdir', '-p', str((tmp_path / name).parent)], check=True)
    try:
        (tmp_path / name).touch()
        assert names(tmp_path) == [name]
    finally:  # Python could not remove it
        subprocess.run(['rm', '-r', str(tmp_path / 'd')], check=True)


def test_missing_folder_file_and_empty_folder(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        list_images(tmp_path / 'nowhere', 'train', 0)
    touch(tmp_path, 'notes.txt', 'more.txt', 'a.heic')
    with pytest.raises(UserError, match='is not a folder'):
        list_images(tmp_path / 'notes.txt', 'train', 0)
    with pytest.raises(UserError, match=r'no images \(jpg, .*\); it has 2 .txt, 1 .heic'):
        list_images(tmp_path, 'train', 0)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'no images \(jpg, [^;]*$'):
        list_images(tmp_path / 'empty', 'train', 0)


def test_an_unknown_split(tmp_path):
    with pytest.raises(UserError, match=r"ImageFolder.split = 'val' must be 'train' or 'test'"):
        list_images(tmp_path, 'val', 0)


def test_folders_that_may_not_be_read(tmp_path, monkeypatch):
    # The user who runs tests may be root, whom permissions do not stop: so the system call fails for everyone.
    touch(tmp_path, 'a.jpg', 'closed/b.jpg')
    closed, scandir = [str(tmp_path / 'closed')], os.scandir

    def refusing(function):
        def refuse(path):
            if str(path) in closed:
                raise PermissionError(13, 'Permission denied', str(path))
            return function(path)

        return refuse

    for name, function in (('stat', os.stat), ('scandir', scandir)):  # it may be that its parent cannot be entered
        with monkeypatch.context() as patch:
            patch.setattr(listing.os, name, refusing(function))
            found = list_images(tmp_path, 'train', 0)
        assert [file.name for file in found.files] == ['a.jpg']
        assert found.notes == ['1 folders may not be read: closed']
    monkeypatch.setattr(listing.os, 'scandir', refusing(scandir))
    closed.append(str(tmp_path))
    with pytest.raises(UserError, match='may not be read: Permission denied'):
        list_images(tmp_path, 'train', 0)


def test_memory_stays_small_however_many_names(tmp_path):
    script = (
        'import os, resource, sys\n'
        'from pathlib import Path\n'
        'from stackgan_tf.data.image_folder.listing import ImageFile, list_images\n'
        'import stackgan_tf.data.image_folder.listing as listing\n'
        'count = 100_000\n'
        'before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'images = [ImageFile(f"folder/{i:012}.jpg", i, i) for i in range(count)]\n'
        'listing._find = lambda root: listing._Found(images)\n'
        'list_images(Path(sys.argv[1]), "train", 0.1)\n'
        'print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / count)\n'
    )
    result = subprocess.run([sys.executable, '-c', script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(result.stdout) < 1000  # bytes a name: a million stay under 1 GiB
