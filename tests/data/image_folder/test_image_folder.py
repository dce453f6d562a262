import json
import os

import numpy as np
import pytest
import tensorflow as tf
from folder_source import SIZES, crops, passes, source
from image_files import huge_png, photograph, save
from PIL import Image

from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.system.errors import UserError


def test_crops_are_cut_from_the_prepared_images(root):
    folder = source(root)
    assert folder.count == 5
    draws = np.array([[0.0, 0.0], [0.999, 0.999], [0.5, 0.5]])
    for number, crop, (down, right) in zip((4, 0, 2), crops(folder, [4, 0, 2], draws), draws, strict=True):
        original = photograph(40, 50 + 10 * number, number)
        prepared = np.asarray(original.resize((int(original.width * 19 / 40 + 0.5), 19), Image.BILINEAR))
        top, left = int(down * 4), int(right * (prepared.shape[1] - 15))
        np.testing.assert_array_equal(crop, prepared[top : top + 16, left : left + 16])


def test_the_compact_cache_gives_nearly_the_same(root, monkeypatch):
    lossless = crops(source(root), range(5))
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(root.parent / 'other'))
    folder = source(root, cache_gigabytes=7e-6)
    assert folder.count == 5
    compact = crops(folder, range(5))
    assert (compact != lossless).any()
    assert np.abs(compact.astype(int) - lossless).mean() < 4


def test_batches_of_training(root):
    (batch,) = training_batches(source(root), SIZES, 7, 0, 0, 1)
    assert [image.shape for image in batch['images']] == [(7, 8, 8, 3), (7, 16, 16, 3)]


def test_another_size_than_prepared_is_refused(root):
    with pytest.raises(UserError, match='sizes ends with 16, the sizes of the model with 32'):
        source(root).crops(tf.constant([0], tf.int64), tf.zeros((1, 2)), 32)


def test_captions_labels_and_paths_of_usable_images(tmp_path):
    for name in ('owl/b.png', 'wren/a.png'):
        save(tmp_path / 'set' / name)
    (tmp_path / 'set' / 'owl' / 'a.png').write_text('not an image')
    (tmp_path / 'set' / 'metadata.jsonl').write_text(
        '\n'.join(
            json.dumps({'file_name': name, 'captions': [f'{name} one', f'{name} two']})
            for name in ('wren/a.png', 'owl/a.png', 'owl/b.png')
        )
    )
    folder = source(tmp_path / 'set')
    assert folder.count == 2
    assert folder.class_names == ['owl', 'wren']
    indices = tf.constant([0, 1], tf.int64)
    assert folder.labels().tolist() == [0, 1]
    captions = [folder.captions().drawn(indices, tf.constant([draw] * 2)).numpy().tolist() for draw in (0.0, 0.9)]
    assert captions == [[b'owl/b.png one', b'wren/a.png one'], [b'owl/b.png two', b'wren/a.png two']]
    assert folder.path(0) == tmp_path / 'set' / 'owl' / 'b.png'


def test_sub_folders_that_are_not_classes(tmp_path, capsys):
    for name in ('one/a.png', 'two/b.png'):
        save(tmp_path / 'set' / name)
    assert source(tmp_path / 'set').labels().tolist() == [0, 1]
    assert '2 classes: one, two (if not: ImageFolder.classes = False)' in capsys.readouterr().out
    shards = source(tmp_path / 'set', classes=False)
    assert shards.class_names == []
    assert shards.labels().tolist() == [0, 1]  # every image is its own class
    assert 'classes' not in capsys.readouterr().out


def test_no_folder_at_all():
    with pytest.raises(UserError, match='IMAGE_ROOT is empty'):
        source('')


def test_classes_have_names_that_can_be_written(tmp_path):
    for name in (b'caf\xe9', 'caf\xe9'.encode()):
        save(tmp_path / 'set' / os.fsdecode(name) / 'a.png')
    folder = source(tmp_path / 'set')
    assert folder.class_names == ['café', r'caf\xe9']
    assert folder.labels().tolist() == [0, 1]


def test_a_folder_without_classes_and_captions(root):
    folder = source(root)
    assert folder.labels().tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(UserError, match=r'has no captions, which this recipe needs: none of its 5 images has an x.txt'):
        folder.captions()


def test_images_are_cropped_to_the_boxes_of_the_metadata_unless_switched_off(tmp_path):
    image = Image.new('RGB', (100, 100), 'red')
    image.paste('blue', (40, 40, 60, 60))
    save(tmp_path / 'set' / 'a.png', image)
    (tmp_path / 'set' / 'metadata.jsonl').write_text('{"file_name": "a.png", "bbox": [45, 45, 10, 10]}')
    assert (crops(source(tmp_path / 'set'), [0]) == (0, 0, 255)).all()
    assert (crops(source(tmp_path / 'set', crop_to_boxes=False), [0])[0, 0, 0] == (255, 0, 0)).all()


def test_images_are_read_once_and_again_when_the_folder_changes(root, capsys):
    source(root)
    assert passes(capsys) == 1
    source(root)
    assert passes(capsys) == 0
    save(root / '1.png', photograph(40, 60, seed=99))
    os.utime(root / '1.png', ns=(1, 1))
    assert (crops(source(root), [1]) != crops(source(root), [2])).any()
    assert passes(capsys) == 1
    save(root / 'new.png')
    assert source(root).count == 6
    (root / 'new.png').unlink()
    (root / '0.png').unlink()
    assert source(root).count == 4
    assert passes(capsys) == 2


def test_new_captions_do_not_repeat_the_first_pass(root, capsys):
    source(root)
    (root / 'metadata.csv').write_text('file_name,text\n0.png,new\n')
    assert source(root).captions().drawn(tf.constant([0], tf.int64), tf.zeros(1)).numpy().tolist() == [b'new']
    assert passes(capsys) == 1


def test_splits_settings_and_folders_have_caches_of_their_own(root, cache):
    source(root)
    source(root, test_fraction=0.5, split='test')
    assert ImageFolder(str(root), (8, 16, 32), test_fraction=0.0).count == 5
    assert len(list(cache.iterdir())) == 3


def test_bad_files_are_named_counted_and_skipped(root, capsys):
    (root / 'empty.jpg').touch()
    (root / 'text.jpg').write_text('not an image')
    (root / 'cut.png').write_bytes((root / '1.png').read_bytes()[:200])
    (root / 'gone.png').symlink_to('nowhere')
    huge_png(root / 'huge.png')
    (root / os.fsdecode(b'caf\xe9.jpg')).write_text('not an image')
    (root / 'new\nline.jpg').touch()
    folder = source(root)
    assert folder.count == 5
    output = capsys.readouterr().out
    assert '7 files cannot be used:\n' in output
    for line in (
        'empty.jpg: empty file',
        'text.jpg: it is not an image',
        'cut.png: ',
        'gone.png: No such file',
        'huge.png: Image size (6400000000 pixels) exceeds limit',
        r"'caf\udce9.jpg': it is not an image",
        r"'new\nline.jpg': empty file",
    ):
        assert f'\n  {line}' in output
    assert crops(folder, [4]).shape == (1, 16, 16, 3)
    source(root)
    assert '7 files cannot be used' in capsys.readouterr().out


def test_many_bad_files_are_listed_in_a_file(root, cache, capsys):
    for number in range(12):
        (root / f'bad{number:02}.jpg').touch()
    source(root)
    output = capsys.readouterr().out
    (listed,) = cache.glob('*/bad_files.txt')
    assert f'12 files cannot be used (all in {listed}):' in output
    assert output.count('empty file') == 10
    assert listed.read_text().count('empty file') == 12


def test_only_a_folder_without_any_good_file_is_refused(tmp_path):
    (tmp_path / 'a.jpg').touch()
    with pytest.raises(UserError, match=r'has no image that can be used: a.jpg: empty file'):
        source(tmp_path)


def test_small_images_are_reported_in_one_line(root, capsys):
    for number in range(3):
        save(root / f'small{number}.png', photograph(10, 12))
    assert source(root).count == 8
    assert '3 images are smaller than 19 pixels: they were enlarged' in capsys.readouterr().out


def test_images_with_odd_names_are_used(tmp_path):
    for name in ('with space.png', 'new\nline.png', 'bird ✓.png', os.fsdecode(b'caf\xe9.png')):
        save(tmp_path / 'set' / name)
    assert crops(source(tmp_path / 'set'), range(4)).shape == (4, 16, 16, 3)


def test_images_outside_the_classes_have_a_label_of_their_own(tmp_path):
    for name in ('owl/a.png', 'b.png', 'wren/c.png', 'd.png'):
        save(tmp_path / 'set' / name)
    folder = source(tmp_path / 'set', classes=True)
    assert folder.class_names == ['owl', 'wren']
    assert folder.labels().tolist() == [2, 3, 0, 1]
    assert source(tmp_path / 'set').class_names == []
