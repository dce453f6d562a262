import errno
import json
import os
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest
import tensorflow as tf
from picture_files import huge_png, photograph, save
from PIL import Image

from stackgan_tf.data import picture
from stackgan_tf.data.image_folder import cache_entry, first_pass, picture_cache
from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.user_error import UserError

SIZES = (8, 16)  # load size 19


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache' / 'image_folders'


@pytest.fixture
def root(tmp_path):
    for number in range(5):
        save(tmp_path / 'pictures' / f'{number}.png', photograph(40, 50 + 10 * number, number))
    return tmp_path / 'pictures'


def source(root, **settings):
    return ImageFolder(str(root), SIZES, **{'test_fraction': 0.0, **settings})


def crops(folder, indices, draws=None):
    draws = np.zeros((len(indices), 2)) if draws is None else draws
    return folder.crops(tf.constant(indices, tf.int64), tf.constant(draws, tf.float32), 16).numpy()


def passes(capsys):
    return capsys.readouterr().out.count('First pass')


def test_crops_are_cut_from_the_prepared_pictures(root):
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


def test_captions_labels_and_paths_of_what_is_usable(tmp_path):
    for name in ('owl/b.png', 'wren/a.png'):
        save(tmp_path / 'set' / name)
    (tmp_path / 'set' / 'owl' / 'a.png').write_text('no picture')
    (tmp_path / 'set' / 'metadata.jsonl').write_text(
        '\n'.join(
            json.dumps({'file_name': name, 'captions': [f'{name} one', f'{name} two']})
            for name in ('wren/a.png', 'owl/a.png', 'owl/b.png')
        )
    )
    folder = source(tmp_path / 'set')
    assert folder.count == 2
    assert folder.class_names == ['owl', 'wren']
    assert [folder.label(i) for i in range(2)] == [0, 1]
    assert folder.captions(1) == ('wren/a.png one', 'wren/a.png two')
    assert folder.path(0) == tmp_path / 'set' / 'owl' / 'b.png'


def test_boxes_of_the_metadata_crop_unless_told_otherwise(tmp_path):
    image = Image.new('RGB', (100, 100), 'red')
    image.paste('blue', (40, 40, 60, 60))
    save(tmp_path / 'set' / 'a.png', image)
    (tmp_path / 'set' / 'metadata.jsonl').write_text('{"file_name": "a.png", "bbox": [45, 45, 10, 10]}')
    assert (crops(source(tmp_path / 'set'), [0]) == (0, 0, 255)).all()
    assert (crops(source(tmp_path / 'set', crop_to_boxes=False), [0])[0, 0, 0] == (255, 0, 0)).all()


def test_pictures_are_read_once_and_again_when_the_folder_changes(root, capsys):
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


def test_captions_alone_are_no_reason_to_read_pictures_again(root, capsys):
    source(root)
    (root / 'metadata.csv').write_text('file_name,text\n0.png,new\n')
    assert source(root).captions(0) == ('new',)
    assert passes(capsys) == 1


def test_splits_settings_and_folders_have_caches_of_their_own(root, cache):
    source(root)
    source(root, test_fraction=0.5, split='test')
    ImageFolder(str(root), (8, 16, 32), test_fraction=0.0)
    assert len(list(cache.iterdir())) == 3


def test_bad_files_are_named_counted_and_skipped(root, capsys):
    (root / 'empty.jpg').touch()
    (root / 'text.jpg').write_text('no picture')
    (root / 'cut.png').write_bytes((root / '1.png').read_bytes()[:200])
    (root / 'gone.png').symlink_to('nowhere')
    huge_png(root / 'huge.png')
    (root / os.fsdecode(b'caf\xe9.jpg')).write_text('no picture')
    (root / 'new\nline.jpg').touch()
    folder = source(root)
    assert folder.count == 5
    told = capsys.readouterr().out
    assert '7 files cannot be used:\n' in told
    for line in (
        'empty.jpg: empty file',
        'text.jpg: it is no picture',
        'cut.png: ',
        'gone.png: No such file',
        'huge.png: Image size (6400000000 pixels) exceeds limit',
        r"'caf\udce9.jpg': it is no picture",
        r"'new\nline.jpg': empty file",
    ):
        assert f'\n  {line}' in told
    assert crops(folder, [4]).shape == (1, 16, 16, 3)
    source(root)
    assert '7 files cannot be used' in capsys.readouterr().out


def test_many_bad_files_are_listed_in_a_file(root, cache, capsys):
    for number in range(12):
        (root / f'bad{number:02}.jpg').touch()
    source(root)
    told = capsys.readouterr().out
    (listed,) = cache.glob('*/bad_files.txt')
    assert f'12 files cannot be used (all in {listed}):' in told
    assert told.count('empty file') == 10
    assert listed.read_text().count('empty file') == 12


def test_only_a_folder_without_any_good_file_is_refused(tmp_path):
    (tmp_path / 'a.jpg').touch()
    with pytest.raises(UserError, match=r'has no picture that can be used: a.jpg: empty file'):
        source(tmp_path)


def test_small_pictures_are_told_in_one_line(root, capsys):
    for number in range(3):
        save(root / f'small{number}.png', photograph(10, 12))
    assert source(root).count == 8
    assert '3 pictures are smaller than 19 pixels: they were enlarged' in capsys.readouterr().out


def test_pictures_with_names_of_all_sorts_are_used(tmp_path):
    for name in ('with space.png', 'new\nline.png', 'bird ✓.png', os.fsdecode(b'caf\xe9.png')):
        save(tmp_path / 'set' / name)
    assert crops(source(tmp_path / 'set'), range(4)).shape == (4, 16, 16, 3)


def test_an_interrupted_first_pass_goes_on_with_the_next_shard(root, monkeypatch):
    monkeypatch.setattr(first_pass, 'SHARD', 2)
    monkeypatch.setattr(picture_cache, 'SHARD', 2)
    read, seen = first_pass.read_picture, []

    def interrupted(path, *arguments):
        seen.append(path.name)
        if path.name == '3.png':
            raise KeyboardInterrupt
        return read(path, *arguments)

    monkeypatch.setattr(first_pass, 'read_picture', interrupted)
    with pytest.raises(KeyboardInterrupt):
        source(root)
    seen.clear()
    monkeypatch.setattr(first_pass, 'read_picture', lambda path, *rest: seen.append(path.name) or read(path, *rest))
    of_three_shards = crops(source(root), range(5))
    assert sorted(seen) == ['2.png', '3.png', '4.png']
    monkeypatch.setattr(first_pass, 'SHARD', 100)
    monkeypatch.setattr(picture_cache, 'SHARD', 100)
    np.testing.assert_array_equal(of_three_shards, crops(source(root), range(5)))


def test_a_damaged_cache_is_mended(root, cache, capsys):
    before = crops(source(root), range(5))
    (shard,) = cache.glob('*/*.tfrecord')
    shard.write_bytes(shard.read_bytes()[:1000])
    np.testing.assert_array_equal(crops(source(root), range(5)), before)
    (contents,) = cache.glob('*/pictures-*.json')
    contents.write_text('{"lengths"')
    np.testing.assert_array_equal(crops(source(root), range(5)), before)
    assert passes(capsys) == 3


def test_the_cache_is_a_tfrecord_of_pictures(root, cache):
    source(root)
    (shard,) = cache.glob('*/*.tfrecord')
    records = list(tf.data.TFRecordDataset(str(shard)).as_numpy_iterator())
    assert len(records) == 5
    assert records[0].startswith(b'P6\n')


def test_the_longest_unused_entries_make_room(root, tmp_path, cache):
    # The two sets take 11 and 8 kB, the third is expected to take 5.
    source(root, cache_gigabytes=21e-6)
    (old,) = cache.iterdir()
    os.utime(old, (1, 1))
    for number in range(5):
        save(tmp_path / 'more' / f'{number}.png', photograph(40, 50, number))
    kept = source(tmp_path / 'more', cache_gigabytes=21e-6)
    assert old.exists()
    source(tmp_path / 'more', cache_gigabytes=21e-6, test_fraction=0.4)
    assert not old.exists()
    # An entry in use stays, whatever the limit.
    assert crops(kept, [0]).shape == (1, 16, 16, 3)
    assert len(list(cache.iterdir())) == 2


def test_nothing_else_is_removed(root, cache):
    for stranger in (cache.parent / 'thesis', cache / 'thesis'):
        stranger.mkdir(parents=True)
        (stranger / 'thesis.txt').write_text('years of work')
    source(root, cache_gigabytes=8e-6)
    assert len(list(cache.parent.rglob('thesis.txt'))) == 2


def test_what_turns_out_too_large_is_kept_as_jpeg(tmp_path, cache):
    # Wider than expected: 3 * 19 * 19 * 12 bytes each instead of 19 * 19 * 4.
    for number in range(3):
        save(tmp_path / 'wide' / f'{number}.png', photograph(40, 480, number))
    folder = source(tmp_path / 'wide', cache_gigabytes=20e-6)
    assert not folder._cache.lossless
    assert crops(folder, range(3)).shape == (3, 16, 16, 3)


def test_what_does_not_fit_is_refused_before_anything_is_removed(root, tmp_path, cache, monkeypatch):
    source(root)
    more = save(tmp_path / 'more' / 'a.png').parent
    with pytest.raises(UserError, match=r'but the cache may take 0.0 GB: raise ImageFolder.cache_gigabytes'):
        source(more, cache_gigabytes=1e-7)
    assert len(list(cache.glob('*/*.tfrecord'))) == 1
    monkeypatch.setattr(cache_entry.shutil, 'disk_usage', lambda path: types.SimpleNamespace(free=1))
    with pytest.raises(UserError, match=r'but the disk has 0.0 GB free: raise .* or set STACKGAN_TF_CACHE'):
        source(more)


def test_files_that_could_not_be_read_are_tried_again(root, monkeypatch, capsys):
    def fail(image, **options):
        raise OSError(errno.EIO, 'Input/output error')

    with monkeypatch.context() as patch:
        patch.setattr(picture.Image, 'open', fail)
        with pytest.raises(UserError, match=r'no picture that can be used: 0.png: Input/output error'):
            source(root)
    assert source(root).count == 5
    assert passes(capsys) == 2


def test_two_at_once_prepare_once(root, monkeypatch, capsys):
    read = first_pass.read_picture
    monkeypatch.setattr(first_pass, 'read_picture', lambda *arguments: time.sleep(0.1) or read(*arguments))
    folders = []
    threads = [threading.Thread(target=lambda: folders.append(source(root))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passes(capsys) == 1
    np.testing.assert_array_equal(crops(folders[0], range(5)), crops(folders[1], range(5)))


def test_memory_stays_small_however_many_names(tmp_path):
    script = (
        'import os, resource, sys\n'
        'from pathlib import Path\n'
        'from stackgan_tf.data.image_folder.listing import PictureFile, list_pictures\n'
        'import stackgan_tf.data.image_folder.listing as listing\n'
        'count = 100_000\n'
        'before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'pictures = [PictureFile(f"folder/{i:012}.jpg", i, i) for i in range(count)]\n'
        'listing._find = lambda root: listing._Found(pictures)\n'
        'list_pictures(Path(sys.argv[1]), "train", 0.1)\n'
        'print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / count)\n'
    )
    result = subprocess.run([sys.executable, '-c', script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(result.stdout) < 1000  # bytes a name: a million stay under 1 GiB
