import json
import unicodedata

import pytest
from image_files import touch

from stackgan_tf.data.image_folder.listing import list_images


def write(path, captions):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(json.dumps({'file_name': name, 'text': text}) for name, text in captions.items()))


def captions(root):
    found = list_images(root, 'train', 0.0)
    return {file.name: found.annotation(file.name).captions for file in found.files}


@pytest.mark.parametrize(
    ('image', 'name'),
    [
        ('images/a.jpg', 'images\\a.jpg'),
        ('images/a.jpg', 'C:\\data\\images\\a.jpg'),
        ('images/a.jpg', '/elsewhere/images/a.jpg'),
        ('images/a.jpg', 'images/images/a.jpg'),
        ('images/a.jpg', 'a.jpg'),
        ('images/a.jpg', 'a'),
        ('a.JPG', 'A.jpg'),
        ('a.jpg', 'a.png'),
        (unicodedata.normalize('NFD', 'café.jpg'), unicodedata.normalize('NFC', 'café.jpg')),
    ],
)
def test_names_in_another_form(tmp_path, image, name):
    touch(tmp_path, image, 'other/b.jpg')
    write(tmp_path / 'metadata.jsonl', {name: 'found', 'other/b.jpg': 'b'})
    assert captions(tmp_path)[image] == ('found',)
    (note,) = (note for note in list_images(tmp_path, 'train', 0.0).notes if 'another form' in note)
    assert note.startswith('1 images have another form of their name in the tables, such as ')


def test_absolute_paths_below_the_root(tmp_path):
    touch(tmp_path, 'a.jpg')
    write(tmp_path / 'metadata.jsonl', {str(tmp_path / 'a.jpg'): 'found'})
    assert captions(tmp_path) == {'a.jpg': ('found',)}


def test_exact_names_come_first(tmp_path):
    touch(tmp_path, 'a.jpg', 'A.jpg')
    write(tmp_path / 'metadata.jsonl', {'A.jpg': 'upper', 'a.jpg': 'lower', 'x/a.jpg': 'nobody'})
    assert captions(tmp_path) == {'a.jpg': ('lower',), 'A.jpg': ('upper',)}


@pytest.mark.parametrize(
    'name', ['test/1.jpg', '1.jpg', '11.jpg']
)  # another folder, two images of that name, another number
def test_what_is_not_certain_is_not_matched(tmp_path, name):
    touch(tmp_path, 'train/1.jpg', 'other/1.jpg')
    write(tmp_path / 'metadata.jsonl', {name: 'wrong'})
    assert not any(captions(tmp_path).values())


def test_two_names_of_one_image_match_neither(tmp_path):
    touch(tmp_path, 'images/1.jpg')
    write(tmp_path / 'metadata.jsonl', {'train/1.jpg': 'one', 'test/1.jpg': 'two'})
    assert not any(captions(tmp_path).values())


def test_a_table_means_the_images_of_its_folder(tmp_path):
    touch(tmp_path, 'one/1.jpg', 'two/2.jpg')
    write(tmp_path / 'one' / 'metadata.jsonl', {'1.JPG': 'one', '2.JPG': 'of no image in one/'})
    assert captions(tmp_path) == {'one/1.jpg': ('one',), 'two/2.jpg': ()}


def test_where_no_name_matches_one_of_each_side_is_shown(tmp_path):
    touch(tmp_path, 'b.jpg')
    write(tmp_path / 'metadata.jsonl', {'x1.jpg': 'one', 'x2.jpg': 'two'})
    (note,) = list_images(tmp_path, 'train', 0.0).notes
    assert note == 'the metadata name 2 images that are not there: x1.jpg, x2.jpg; the folder has b.jpg'


def test_coco(tmp_path):
    touch(tmp_path, *(f'{split}2017/{number:03}.jpg' for split in ('train', 'val') for number in range(3)))
    for split in ('train', 'val'):
        document = {
            'images': [{'id': number, 'file_name': f'{number:03}.jpg', 'width': 9} for number in range(3)],
            'annotations': [
                {'image_id': number, 'caption': f'{split} {number} {again}'} for again in (1, 2) for number in range(3)
            ],
        }
        path = tmp_path / 'annotations' / f'captions_{split}2017.json'
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document))
    (tmp_path / 'annotations' / 'instances_train2017.json').write_text('broken')  # not opened
    for split, folder in (('train', 'train2017'), ('test', 'val2017')):
        found = list_images(tmp_path, split, 0.0)
        assert [file.name for file in found.files] == [f'{folder}/{number:03}.jpg' for number in range(3)]
        assert found.annotation(f'{folder}/001.jpg').captions == (f'{folder[:-4]} 1 1', f'{folder[:-4]} 1 2')
        assert found.class_names == []
    assert 'passed over: 1 .json' in found.notes


def test_coco_next_to_its_images_with_a_category_each(tmp_path):
    touch(tmp_path, 'train/a.jpg', 'train/b.jpg', 'train/c.jpg')
    document = {
        'images': [{'id': number, 'file_name': f'{name}.jpg'} for number, name in enumerate('abc')],
        'annotations': [{'image_id': number, 'category_id': number % 2} for number in range(3)],
        'categories': [{'id': 0, 'name': 'owl'}, {'id': 1, 'name': 'wren'}],
    }
    (tmp_path / 'train' / '_annotations.coco.json').write_text(json.dumps(document))
    found = list_images(tmp_path, 'train', 0.0)
    assert (found.class_names, found.labels) == (['owl', 'wren'], [0, 1, 0])
    assert found.notes == []


def test_flickr8k_of_kaggle(tmp_path):
    touch(tmp_path, 'Images/a.jpg', 'Images/b.jpg')
    (tmp_path / 'captions.txt').write_text('image,caption\na.jpg,one .\na.jpg,"two, too"\nb.jpg,three, four\n')
    assert captions(tmp_path) == {'Images/a.jpg': ('one .', 'two, too'), 'Images/b.jpg': ('three, four',)}


def test_flickr30k_of_kaggle(tmp_path):
    touch(tmp_path, 'flickr30k_images/a.jpg', 'flickr30k_images/b.jpg')
    (tmp_path / 'results.csv').write_text(
        'image_name| comment_number| comment\na.jpg| 0| "Two birds , one red .\na.jpg| 1   A row without a bar .\n'
        'b.jpg| 0| A bird .\n'
    )
    assert captions(tmp_path) == {
        'flickr30k_images/a.jpg': ('"Two birds , one red .',),
        'flickr30k_images/b.jpg': ('A bird .',),
    }
    assert 'results.csv: 1 rows have too few cells: line 3' in list_images(tmp_path, 'train', 0.0).notes


def test_flickr8k_as_published(tmp_path):
    touch(tmp_path, 'Flicker8k_Dataset/a.jpg')
    (tmp_path / 'Flickr8k.token.txt').write_text('a.jpg#0\tA "red" bird .\na.jpg#1\tA bird .\nb.jpg.1#0\tNo image .\n')
    assert captions(tmp_path) == {'Flicker8k_Dataset/a.jpg': ('A "red" bird .', 'A bird .')}


def test_the_splits_of_karpathy(tmp_path):
    touch(tmp_path, 'images/a.jpg', 'images/b.jpg')
    document = {
        'images': [
            {'filename': 'a.jpg', 'split': 'restval', 'sentences': [{'raw': 'A bird.'}, {'raw': 'One bird.'}]},
            {'filename': 'b.jpg', 'split': 'test', 'sentences': [{'raw': 'Two birds.'}]},
        ]
    }
    (tmp_path / 'dataset_flickr8k.json').write_text(json.dumps(document))
    assert captions(tmp_path) == {'images/a.jpg': ('A bird.', 'One bird.')}


def test_a_table_of_kohya(tmp_path):
    touch(tmp_path, 'a.png', 'b.png')
    (tmp_path / 'meta_cap.json').write_text(json.dumps({'a': {'caption': 'one', 'tags': 'x'}, '/old/b': 'two'}))
    assert captions(tmp_path) == {'a.png': ('one',), 'b.png': ('two',)}


def test_stylegans_classes(tmp_path):
    touch(tmp_path, *(f'00000/img{number}.png' for number in range(4)))
    labels = [[f'00000/img{number}.png', number % 2] for number in range(4)]
    (tmp_path / 'dataset.json').write_text(json.dumps({'labels': labels}))
    found = list_images(tmp_path, 'train', 0.0)
    assert (found.class_names, found.labels) == (['0', '1'], [0, 1, 0, 1])


def test_tables_of_other_things_are_named(tmp_path):
    touch(tmp_path, 'a.jpg')
    (tmp_path / 'measurements.csv').write_text('time,temperature\n1,2\n')
    (tmp_path / 'boxes.txt').write_text('a.jpg\t1\t2\t3\t4\n')
    (tmp_path / 'package.json').write_text('{"name": "x", "version": 3}')
    notes = list_images(tmp_path, 'train', 0.0).notes
    assert notes[0] == 'passed over: 1 .csv, 1 .json, 1 .txt'
    assert notes[1].startswith('2 tables are not read: measurements.csv (')
