import pytest
from image_files import listed_names, touch

from stackgan_tf.data.image_folder.listing import list_images
from stackgan_tf.system.errors import UserError


def test_the_split_of_an_image_depends_on_its_name_alone(tmp_path):
    touch(tmp_path, *(f'{i}.png' for i in range(400)))
    train, test = listed_names(tmp_path, 'train', 0.25), listed_names(tmp_path, 'test', 0.25)
    assert sorted(train + test) == sorted(f'{i}.png' for i in range(400))
    assert 70 < len(test) < 130
    touch(tmp_path, *(f'more/{i}.png' for i in range(100)))
    assert [name for name in listed_names(tmp_path, 'test', 0.25) if '/' not in name] == test
    assert len(listed_names(tmp_path, 'train', 0.0)) == 500


def test_given_splits_and_what_lies_outside(tmp_path):
    touch(tmp_path, 'train/a.jpg', 'train/deep/b.jpg', 'test/c.jpg', 'other/d.jpg')
    assert listed_names(tmp_path, 'train', 0.5) == ['train/a.jpg', 'train/deep/b.jpg']
    assert listed_names(tmp_path, 'test', 0.5) == ['test/c.jpg']
    assert list_images(tmp_path, 'test', 0.5).notes == ['1 images outside train/ and test/ are not used']


@pytest.mark.parametrize(
    ('training', 'held'),
    [('train', 'val'), ('Train', 'TEST'), ('training', 'validation'), ('train2017', 'val2017'), ('train', 'dev')],
)
def test_splits_by_other_names(tmp_path, training, held):
    touch(tmp_path, f'data/{training}/a.jpg', f'data/{held}/b.jpg')
    assert listed_names(tmp_path, 'train', 0.5) == [f'data/{training}/a.jpg']
    assert listed_names(tmp_path, 'test', 0.5) == [f'data/{held}/b.jpg']


def test_of_test_and_val_the_one_with_captions_is_held_out(tmp_path):
    touch(tmp_path, 'train/a.jpg', 'val/b.jpg', 'test/c.jpg')
    assert listed_names(tmp_path, 'test') == ['test/c.jpg']
    (tmp_path / 'val' / 'b.txt').write_text('a bird')
    assert listed_names(tmp_path, 'test') == ['val/b.jpg']
    assert '1 images outside train/ and val/ are not used' in list_images(tmp_path, 'test', 0).notes


def test_a_training_part_alone_is_divided(tmp_path):
    touch(tmp_path, *(f'train/{number}.jpg' for number in range(10)), 'other/a.jpg')
    assert len(listed_names(tmp_path, 'train', 0.2)) + len(listed_names(tmp_path, 'test', 0.2)) == 10
    assert list_images(tmp_path, 'test', 0.2).notes == ['1 images outside train/ are not used']


def test_a_split_column(tmp_path):
    touch(tmp_path, 'a.jpg', 'b.jpg', 'c.jpg')
    (tmp_path / 'metadata.csv').write_text('file_name,text,split\na.jpg,x,train\nb.jpg,y,Validation\nc.jpg,z,train\n')
    assert listed_names(tmp_path, 'train', 0.5) == ['a.jpg', 'c.jpg']
    assert listed_names(tmp_path, 'test', 0.5) == ['b.jpg']


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
    assert listed_names(tmp_path, 'train', 0.1) == listed_names(tmp_path, 'test', 0.1) == ['a.jpg']
    assert 'there is only one image' in list_images(tmp_path, 'test', 0.1).notes[0]
    touch(tmp_path, 'b.jpg')
    assert len(listed_names(tmp_path, 'train', 0.1)) == len(listed_names(tmp_path, 'test', 0.1)) == 1
    (tmp_path / 'b.txt').write_text('a bird')
    assert listed_names(tmp_path, 'train', 0.1) == ['a.jpg', 'b.jpg']
    assert listed_names(tmp_path, 'test', 0.1) == ['b.jpg']


def test_an_unknown_split(tmp_path):
    with pytest.raises(UserError, match=r"ImageFolder.split = 'val' must be 'train' or 'test'"):
        list_images(tmp_path, 'val', 0)
