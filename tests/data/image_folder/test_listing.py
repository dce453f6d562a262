import os
import subprocess
import sys

import pytest
from image_files import save

from stackgan_tf.data.image_decoding import FORMATS
from stackgan_tf.data.image_folder import contents
from stackgan_tf.data.image_folder.annotation import Annotation
from stackgan_tf.data.image_folder.listing import list_images
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
    kinds += ['k.jfif', 'l.jpe', *(['m.avif'] if 'AVIF' in FORMATS else [])]
    touch(
        tmp_path, *kinds, 'notes.txt', '.hidden.jpg', '.thumbnails/k.jpg', '@eaDir/n.jpg/o.jpg', 'p.heic', 'Thumbs.db'
    )
    touch(tmp_path, *(f'a.{kind}' for kind in ('xml', 'npy', 'bin', 'psd')))
    assert names(tmp_path) == sorted(kinds)
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
    assert len(names(tmp_path)) == 12
    assert list_images(tmp_path, 'train', 0.0).notes == ['passed over: 1 without suffix']


def test_images_that_sample_wrote_are_passed_over(tmp_path):
    touch(tmp_path, 'a.jpg', *(f'out/{name}.png' for name in ('grid', 'seed_000001', 'caption_000_seed_000000')))
    found = list_images(tmp_path, 'train', 0.0)
    assert [file.name for file in found.files] == ['a.jpg']
    assert found.notes == ['passed over what runs made: out']
    touch(tmp_path, 'out/mine.png')
    assert len(names(tmp_path)) == 5


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


@pytest.mark.parametrize(
    ('training', 'held'),
    [('train', 'val'), ('Train', 'TEST'), ('training', 'validation'), ('train2017', 'val2017'), ('train', 'dev')],
)
def test_splits_by_other_names(tmp_path, training, held):
    touch(tmp_path, f'data/{training}/a.jpg', f'data/{held}/b.jpg')
    assert names(tmp_path, 'train', 0.5) == [f'data/{training}/a.jpg']
    assert names(tmp_path, 'test', 0.5) == [f'data/{held}/b.jpg']


def test_of_test_and_val_the_one_with_captions_is_held_out(tmp_path):
    touch(tmp_path, 'train/a.jpg', 'val/b.jpg', 'test/c.jpg')
    assert names(tmp_path, 'test') == ['test/c.jpg']
    (tmp_path / 'val' / 'b.txt').write_text('a bird')
    assert names(tmp_path, 'test') == ['val/b.jpg']
    assert '1 images outside train/ and val/ are not used' in list_images(tmp_path, 'test', 0).notes


def test_a_training_part_alone_is_divided(tmp_path):
    touch(tmp_path, *(f'train/{number}.jpg' for number in range(10)), 'other/a.jpg')
    assert len(names(tmp_path, 'train', 0.2)) + len(names(tmp_path, 'test', 0.2)) == 10
    assert list_images(tmp_path, 'test', 0.2).notes == ['1 images outside train/ are not used']


def test_a_split_column(tmp_path):
    touch(tmp_path, 'a.jpg', 'b.jpg', 'c.jpg')
    (tmp_path / 'metadata.csv').write_text('file_name,text,split\na.jpg,x,train\nb.jpg,y,Validation\nc.jpg,z,train\n')
    assert names(tmp_path, 'train', 0.5) == ['a.jpg', 'c.jpg']
    assert names(tmp_path, 'test', 0.5) == ['b.jpg']


def test_a_split_that_is_switched_off(tmp_path):
    touch(tmp_path, 'a.jpg', 'b.jpg')
    with pytest.raises(UserError, match=r'no images for test: ImageFolder.test_fraction decides; 2 in all'):
        list_images(tmp_path, 'test', 0.0)


@pytest.mark.parametrize('fraction', [1e-9, 0.5, 1 - 1e-9])
def test_the_held_out_part_has_captions_and_leaves_some(tmp_path, fraction):
    touch(tmp_path, *(f'{number}.jpg' for number in range(20)))
    for number in range(4):
        (tmp_path / f'{number}.txt').write_text('a bird')
    train, test = (list_images(tmp_path, split, fraction) for split in ('train', 'test'))
    assert len(train.files) + len(test.files) == 20
    assert 1 <= len(test.files) <= 3
    assert all(test.annotation(file.name).captions for file in test.files)
    assert train.annotations
    assert '16 of 20 images have no caption' in train.notes


def test_a_single_image_is_in_both_parts(tmp_path):
    touch(tmp_path, 'a.jpg')
    assert names(tmp_path, 'train', 0.1) == names(tmp_path, 'test', 0.1) == ['a.jpg']
    assert 'there is only one image' in list_images(tmp_path, 'test', 0.1).notes[0]
    touch(tmp_path, 'b.jpg')
    assert len(names(tmp_path, 'train', 0.1)) == len(names(tmp_path, 'test', 0.1)) == 1
    (tmp_path / 'b.txt').write_text('a bird')
    assert names(tmp_path, 'train', 0.1) == ['a.jpg', 'b.jpg']
    assert names(tmp_path, 'test', 0.1) == ['b.jpg']


def classes(root, split='train', wanted=None):
    found = list_images(root, split, 0.0, wanted)
    return found.class_names, found.labels, found.notes


def test_sub_folders_are_classes_if_all_images_lie_in_them(tmp_path):
    touch(tmp_path, 'train/wren/a.jpg', 'train/owl/b.jpg', 'test/owl/c.jpg', 'test/owl/deep/d.jpg')
    touch(tmp_path, 'val/owl/e.jpg', 'cover.jpg')  # not used, so they are not classes
    assert classes(tmp_path, 'test')[:2] == (['owl', 'wren'], [0, 0])
    assert classes(tmp_path, 'train')[:2] == (['owl', 'wren'], [0, 1])
    assert classes(tmp_path, 'train', wanted=False)[:2] == ([], [-1, -1])


def test_classes_below_folders_that_all_images_share(tmp_path):
    touch(tmp_path, 'data/images/wren/a.jpg', 'data/images/owl/b.jpg')
    assert classes(tmp_path)[:2] == (['owl', 'wren'], [0, 1])


def test_a_few_images_may_lie_outside_the_classes(tmp_path):
    touch(tmp_path, *(f'{name}/{number}.jpg' for name in ('wren', 'owl') for number in range(6)), 'overview.jpg')
    names_found, labels, notes = classes(tmp_path)
    assert names_found == ['owl', 'wren']
    assert labels == [-1] + [0] * 6 + [1] * 6
    assert notes == ['1 of 13 images lie outside the sub-folders: they have no class']


def test_why_sub_folders_are_no_classes(tmp_path):
    touch(tmp_path, 'one/a.jpg', 'two/b.jpg', 'c.jpg')
    assert classes(tmp_path) == (
        [],
        [-1] * 3,
        [
            'sub-folders are not taken for classes: 1 of 3 images lie outside them '
            '(if they are: ImageFolder.classes = True)'
        ],
    )
    assert classes(tmp_path, wanted=True)[:2] == (['one', 'two'], [-1, 0, 1])


@pytest.mark.parametrize('folders', [('00000', '00001'), ('one/00000', 'one/00001')])
def test_numbered_folders_are_parts(tmp_path, folders):
    touch(tmp_path, *(f'{folder}/000.jpg' for folder in folders))
    names_found, labels, notes = classes(tmp_path)
    assert (names_found, labels) == ([], [-1, -1])
    assert 'they are numbered, as parts are' in notes[0]
    assert classes(tmp_path, wanted=True)[0] == ['00000', '00001']


def test_digits_are_classes_if_nothing_has_captions(tmp_path):
    touch(tmp_path, *(f'{digit}/a.png' for digit in (0, 1, 2, 10)))
    assert classes(tmp_path)[:2] == (['0', '1', '2', '10'], [0, 1, 3, 2])
    (tmp_path / '0' / 'a.txt').write_text('a zero')
    assert classes(tmp_path)[0] == []


def test_all_images_in_one_folder_have_no_class(tmp_path):
    touch(tmp_path, 'images/a.jpg', 'images/b.jpg')
    assert classes(tmp_path) == ([], [-1, -1], [])


def test_labels_of_a_table_are_classes(tmp_path):
    touch(tmp_path, *(f'some/{number}.jpg' for number in range(4)), 'other/4.jpg')
    rows = [f'{{"file_name": "some/{row}.jpg", "label": {label}}}' for row, label in enumerate((10, 9, 9, 'null'))]
    (tmp_path / 'metadata.jsonl').write_text('\n'.join(rows))
    names_found, labels, notes = classes(tmp_path)
    assert names_found == ['9', '10']
    assert labels == [-1, 1, 0, 0, -1]
    assert '2 of 5 images have no class' in notes


def test_labels_that_differ_everywhere_are_no_classes(tmp_path):
    touch(tmp_path, 'a.jpg', 'b.jpg')
    (tmp_path / 'metadata.csv').write_text('file_name,label\na.jpg,one bird\nb.jpg,two birds\n')
    assert classes(tmp_path)[0] == []
    assert classes(tmp_path, wanted=True)[0] == ['one bird', 'two birds']


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
    with pytest.raises(UserError, match=r'no images \(jpg, .*\); it has 2 .txt, 1 .heic; not read: 1 .heic'):
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
