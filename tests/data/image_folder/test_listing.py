import os
import subprocess
import sys

import pytest
from image_files import listed_names, save, touch

from stackgan_tf.data.image_decoding import FORMATS
from stackgan_tf.data.image_folder import contents
from stackgan_tf.data.image_folder.annotation import Annotation
from stackgan_tf.data.image_folder.listing import list_images
from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError


def test_it_finds_every_kind_at_any_depth_and_nothing_else(tmp_path):
    kinds = ['a.jpg', 'b.JPEG', 'c/d.png', 'c/e/f.webp', 'g.gif', 'h.bmp', 'i.tif', 'j.tiff']
    kinds += ['k.jfif', 'l.jpe', *(['m.avif'] if 'AVIF' in FORMATS else [])]
    touch(
        tmp_path, *kinds, 'notes.txt', '.hidden.jpg', '.thumbnails/k.jpg', '@eaDir/n.jpg/o.jpg', 'p.heic', 'Thumbs.db'
    )
    touch(tmp_path, *(f'a.{kind}' for kind in ('xml', 'npy', 'bin', 'psd')))
    assert listed_names(tmp_path) == sorted(kinds)
    assert list_images(tmp_path, 'train', 0.0).notes == [
        'not read: 1 .heic, 1 .psd: images in formats that are not read; convert them to PNG',
        'passed over: 1 .bin, 1 .npy, 1 .txt, 1 .xml',
        'passed over: 2 hidden files or files of the system',
        'passed over folders of other programs: 1 .thumbnails, 1 @eaDir',
    ]


def test_files_without_a_known_suffix_are_images_if_they_begin_so(tmp_path):
    for number, kind in enumerate(('jpeg', 'png', 'webp', 'gif', 'bmp', 'tiff')):
        save(tmp_path / f'{number}abc', format=kind)
        save(tmp_path / f'{number}.jpg_large', format=kind)
    touch(tmp_path, 'LICENSE')
    assert len(listed_names(tmp_path)) == 12
    assert list_images(tmp_path, 'train', 0.0).notes == ['passed over: 1 without suffix']


def test_images_that_sample_wrote_are_passed_over(tmp_path):
    touch(tmp_path, 'a.jpg', *(f'out/{name}.png' for name in ('grid', 'seed_000001', 'caption_000_seed_000000')))
    found = list_images(tmp_path, 'train', 0.0)
    assert [file.name for file in found.files] == ['a.jpg']
    assert found.notes == ['passed over what runs made: out']
    touch(tmp_path, 'out/mine.png')
    assert len(listed_names(tmp_path)) == 5


def test_odd_names(tmp_path):
    odd = ['with space.jpg', 'new\nline.jpg', 'bird ✓.jpg', os.fsdecode(b'caf\xe9.jpg')]
    touch(tmp_path, *odd)
    assert listed_names(tmp_path) == sorted(odd)
    assert [printable(name) for name in odd[:3]] == ['with space.jpg', r"'new\nline.jpg'", 'bird ✓.jpg']
    assert printable(odd[3]).isascii()


def test_metadata_of_any_folder(tmp_path):
    touch(tmp_path, 'train/a.jpg', 'train/b.jpg', 'test/sub/c.jpg')
    (tmp_path / 'metadata.csv').write_text('file_name,text\ntrain/a.jpg,from the root\n')
    (tmp_path / 'test' / 'sub' / 'metadata.jsonl').write_text('{"file_name": "c.jpg", "text": "from its folder"}\n')
    assert list_images(tmp_path, 'train', 0).annotation('train/a.jpg').captions == ('from the root',)
    found = list_images(tmp_path, 'test', 0)
    assert found.annotation('test/sub/c.jpg').captions == ('from its folder',)
    assert '1 of 3 images have no caption' in found.notes
    (tmp_path / 'metadata.jsonl').touch()
    with pytest.raises(UserError, match=r'has both metadata.csv and metadata.jsonl: keep one'):
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
    assert len(listed_names(tmp_path)) == 4


def test_links_are_followed_once(tmp_path):
    touch(tmp_path / 'elsewhere', 'a.jpg')
    root = tmp_path / 'root'
    touch(root, 'b.jpg')
    (root / 'linked').symlink_to(tmp_path / 'elsewhere')
    (root / 'loop').symlink_to(root)
    (root / 'broken.jpg').symlink_to(root / 'nowhere.jpg')
    assert listed_names(root) == ['b.jpg', 'broken.jpg', 'linked/a.jpg']


def test_pipes_folders_and_links_that_are_named_like_images(tmp_path):
    touch(tmp_path, 'a.jpg', 'folder.jpg/b.png')
    os.mkfifo(tmp_path / 'pipe.jpg')
    (tmp_path / 'empty.JPG').mkdir()
    (tmp_path / 'loop.jpg').symlink_to('loop.jpg')
    # All but the folder with images are reported as bad files when they are read.
    assert listed_names(tmp_path) == ['a.jpg', 'empty.JPG', 'folder.jpg/b.png', 'loop.jpg', 'pipe.jpg']


def test_folders_deeper_than_python_can_recurse(tmp_path):
    name = '/'.join(['d'] * (sys.getrecursionlimit() + 100)) + '/a.jpg'
    subprocess.run(['mkdir', '-p', str((tmp_path / name).parent)], check=True)
    try:
        (tmp_path / name).touch()
        assert listed_names(tmp_path) == [name]
    finally:  # Python could not remove it
        subprocess.run(['rm', '-r', str(tmp_path / 'd')], check=True)


def test_missing_folder_file_and_empty_folder(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        list_images(tmp_path / 'nowhere', 'train', 0)
    touch(tmp_path, 'notes.txt', 'more.txt', 'a.heic')
    with pytest.raises(UserError, match='is not a folder'):
        list_images(tmp_path / 'notes.txt', 'train', 0)
    with pytest.raises(UserError, match=r'no images \(jpg, .*\); it has 2 .txt, 1 .heic; not read: 1 .heic'):
        list_images(tmp_path, 'train', 0)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'no images \(jpg, [^;]*$'):
        list_images(tmp_path / 'empty', 'train', 0)


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
            patch.setattr(contents.os, name, refusing(function))
            found = list_images(tmp_path, 'train', 0)
        assert [file.name for file in found.files] == ['a.jpg']
        assert found.notes == ['1 folders may not be read: closed']
    monkeypatch.setattr(contents.os, 'scandir', refusing(scandir))
    closed.append(str(tmp_path))
    with pytest.raises(UserError, match='may not be read: Permission denied'):
        list_images(tmp_path, 'train', 0)


def test_memory_stays_small_however_many_names(tmp_path):
    script = (
        'import os, resource, sys\n'
        'from pathlib import Path\n'
        'from stackgan_tf.data.image_folder.contents import Contents, ImageFile\n'
        'from stackgan_tf.data.image_folder.listing import list_images\n'
        'import stackgan_tf.data.image_folder.listing as listing\n'
        'count = 100_000\n'
        'before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'images = [ImageFile(f"folder/{i:012}.jpg", i, i) for i in range(count)]\n'
        'listing.read_contents = lambda root: Contents(root, images)\n'
        'list_images(Path(sys.argv[1]), "train", 0.1)\n'
        'print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / count)\n'
    )
    result = subprocess.run([sys.executable, '-c', script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(result.stdout) < 1000  # bytes a name: a million stay under 1 GiB
