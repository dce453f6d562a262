import pytest
from image_files import touch

from stackgan_tf.data.image_folder.listing import list_images


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
