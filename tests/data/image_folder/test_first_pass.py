import errno
import os
import threading
import time
import types

import numpy as np
import pytest
import tensorflow as tf
from folder_source import crops, passes, source
from image_files import photograph, save

from stackgan_tf.data import image_decoding
from stackgan_tf.data.image_folder import first_pass, image_cache
from stackgan_tf.system import cache_entry
from stackgan_tf.system.errors import UserError


def test_an_interrupted_first_pass_resumes_with_the_next_shard(root, monkeypatch):
    monkeypatch.setattr(first_pass, 'SHARD', 2)
    monkeypatch.setattr(image_cache, 'SHARD', 2)
    read, read_files = first_pass.read_image, []

    def interrupted(path, *arguments):
        read_files.append(path.name)
        if path.name == '3.png':
            raise KeyboardInterrupt
        return read(path, *arguments)

    monkeypatch.setattr(first_pass, 'read_image', interrupted)
    with pytest.raises(KeyboardInterrupt):
        source(root)
    read_files.clear()
    monkeypatch.setattr(first_pass, 'read_image', lambda path, *rest: read_files.append(path.name) or read(path, *rest))
    of_three_shards = crops(source(root), range(5))
    assert sorted(read_files) == ['2.png', '3.png', '4.png']
    monkeypatch.setattr(first_pass, 'SHARD', 100)
    monkeypatch.setattr(image_cache, 'SHARD', 100)
    np.testing.assert_array_equal(of_three_shards, crops(source(root), range(5)))


def test_a_damaged_cache_is_repaired(root, cache, capsys):
    before = crops(source(root), range(5))
    (shard,) = cache.glob('*/*.tfrecord')
    shard.write_bytes(shard.read_bytes()[:1000])
    np.testing.assert_array_equal(crops(source(root), range(5)), before)
    (contents,) = cache.glob('*/images-*.json')
    contents.write_text('{"lengths"')
    np.testing.assert_array_equal(crops(source(root), range(5)), before)
    assert passes(capsys) == 3


def test_no_link_is_followed_and_leftovers_are_removed(root, cache, tmp_path):
    source(root)
    (shard,) = cache.glob('*/*.tfrecord')
    shard.unlink()
    victim, leftover = tmp_path / 'victim', shard.with_name(f'.{shard.name}.{16 * "0"}')
    victim.write_bytes(b'mine')
    shard.with_name(f'.{shard.name}').symlink_to(victim)
    leftover.write_bytes(b'half')
    source(root)
    assert victim.read_bytes() == b'mine'
    assert shard.is_file()
    assert not shard.is_symlink()
    assert not leftover.exists()


def test_the_cache_is_a_tfrecord_of_images(root, cache):
    source(root)
    (shard,) = cache.glob('*/*.tfrecord')
    records = list(tf.data.TFRecordDataset(str(shard)).as_numpy_iterator())
    assert len(records) == 5
    assert records[0].startswith(b'P6\n')


def test_the_least_recently_used_entries_are_removed(root, tmp_path, cache):
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


def test_images_larger_than_expected_are_kept_as_jpeg(tmp_path, cache):
    # Wider than expected: 3 * 19 * 19 * 12 bytes each instead of 19 * 19 * 4.
    for number in range(3):
        save(tmp_path / 'wide' / f'{number}.png', photograph(40, 480, number))
    folder = source(tmp_path / 'wide', cache_gigabytes=20e-6)
    assert not folder._cache.lossless
    assert crops(folder, range(3)).shape == (3, 16, 16, 3)


def test_images_that_do_not_fit_are_refused_before_anything_is_removed(root, tmp_path, cache, monkeypatch):
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
        patch.setattr(image_decoding.Image, 'open', fail)
        with pytest.raises(UserError, match=r'no image that can be used: 0.png: Input/output error'):
            source(root)
    assert source(root).count == 5
    assert passes(capsys) == 2


def test_two_at_once_prepare_once(root, monkeypatch, capsys):
    read = first_pass.read_image
    monkeypatch.setattr(first_pass, 'read_image', lambda *arguments: time.sleep(0.1) or read(*arguments))
    folders = []
    threads = [threading.Thread(target=lambda: folders.append(source(root))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passes(capsys) == 1
    np.testing.assert_array_equal(crops(folders[0], range(5)), crops(folders[1], range(5)))
