import numpy as np
import pytest
import tensorflow as tf
from captioned import Captioned
from image_files import huge_png, photograph, save

from stackgan_tf.evaluation.image_sources import FolderImages, SourceImages
from stackgan_tf.system.errors import UserError


class Positions(Captioned):
    """The pixels of a crop are its example and its position."""

    def crops(self, indices, draws, size):
        values = tf.concat([tf.cast(indices[:, None], tf.float32), 100 * draws], 1)
        return tf.tile(tf.cast(values, tf.uint8)[:, None, None], (1, size, size, 1))


def everything(source):
    return np.concatenate(list(source.batches()))


def test_center_crops_of_all_images_come_in_order_with_the_last_batch():
    images = SourceImages(Positions(130), 8)
    assert [len(batch) for batch in images.batches()] == [64, 64, 2]
    found = everything(images)[:, 0, 0]
    np.testing.assert_array_equal(found, np.stack([np.arange(130), np.full(130, 50), np.full(130, 50)], 1))
    assert images.title == f'{Captioned.title}, center crops of 8 of 9 pixels'
    assert not images.notes


def test_random_crops_follow_the_seed_and_are_noted_as_augmentation():
    images = SourceImages(Positions(70), 8, random_seed=1, examples=np.array([3, 3, 5]))
    found = everything(images)[:, 0, 0]
    assert found[:, 0].tolist() == [3, 3, 5]
    assert len(set(map(tuple, found))) == 3
    np.testing.assert_array_equal(everything(images)[:, 0, 0], found)
    assert 'augmented' in images.notes[0]


def test_the_files_of_a_folder_are_sorted_and_unchanged(tmp_path):
    for name in ('b/2.png', 'a/10.png', 'a/9.png', '.hidden/1.png'):
        save(tmp_path / name, photograph(16, 16, seed=ord(name[-5])))
    (tmp_path / 'notes.txt').write_text('no image')
    images = FolderImages(tmp_path)
    assert (images.count, images.size, images.notes) == (3, 16, ())
    expected = [np.asarray(photograph(16, 16, seed=ord(name))) for name in '092']
    np.testing.assert_array_equal(everything(images), expected)


def test_unsuitable_files_are_noted(tmp_path):
    save(tmp_path / '1.png', photograph(16, 16).convert('L'))
    save(tmp_path / '2.jpg', photograph(16, 16))
    notes = ' '.join(FolderImages(tmp_path).notes)
    assert '1 of 2 images' in notes
    assert 'not of three 8-bit channels (L)' in notes
    assert 'JPEG: compression counts' in notes


@pytest.mark.parametrize(('height', 'width'), [(16, 20), (32, 32)])
def test_files_of_several_sizes_are_refused(tmp_path, height, width):
    save(tmp_path / '1.png', photograph(16, 16))
    save(tmp_path / '2.png', photograph(height, width))
    with pytest.raises(
        UserError, match=rf'2\.png has {width} x {height} pixels, 1\.png 16 x 16: .* squares of one size'
    ):
        FolderImages(tmp_path)


def test_folders_without_images_and_broken_files(tmp_path):
    with pytest.raises(UserError, match='has no images'):
        FolderImages(tmp_path)
    (tmp_path / '1.png').write_bytes(b'no image')
    with pytest.raises(UserError, match=r'1\.png cannot be read'):
        FolderImages(tmp_path)
    huge_png(tmp_path / '1.png')
    with pytest.raises(UserError, match=r'1\.png cannot be read'):
        FolderImages(tmp_path)
