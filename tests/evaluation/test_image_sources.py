import numpy as np
import pytest
import tensorflow as tf
from captioned import Captioned
from image_files import huge_png, photograph, save

from stackgan_tf.evaluation.image_sources import FolderImages, SourceImages
from stackgan_tf.system.errors import UserError


class Positions(Captioned):
    """Its crops say where they were cut."""

    def crops(self, indices, draws, size):
        values = tf.concat([tf.cast(indices[:, None], tf.float32), 100 * draws], 1)
        return tf.tile(tf.cast(values, tf.uint8)[:, None, None], (1, size, size, 1))


def everything(pictures):
    return np.concatenate(list(pictures.batches()))


def test_all_pictures_come_in_order_the_last_batch_too_from_their_centre():
    pictures = SourceImages(Positions(130), 8)
    assert [len(batch) for batch in pictures.batches()] == [64, 64, 2]
    found = everything(pictures)[:, 0, 0]
    np.testing.assert_array_equal(found, np.stack([np.arange(130), np.full(130, 50), np.full(130, 50)], 1))
    assert pictures.title == 'coloured squares, centre crops of 8 of 9 pixels'
    assert not pictures.notes


def test_random_crops_are_those_of_the_seed_and_it_is_said_that_they_augment():
    pictures = SourceImages(Positions(70), 8, random_seed=1, examples=np.array([3, 3, 5]))
    found = everything(pictures)[:, 0, 0]
    assert found[:, 0].tolist() == [3, 3, 5]
    assert len(set(map(tuple, found))) == 3
    np.testing.assert_array_equal(everything(pictures)[:, 0, 0], found)
    assert 'augmented' in pictures.notes[0]


def test_files_of_a_folder_by_name_as_they_are(tmp_path):
    for name in ('b/2.png', 'a/10.png', 'a/9.png', '.hidden/1.png'):
        save(tmp_path / name, photograph(16, 16, seed=ord(name[-5])))
    (tmp_path / 'notes.txt').write_text('no picture')
    pictures = FolderImages(tmp_path)
    assert (pictures.count, pictures.size, pictures.notes) == (3, 16, ())
    expected = [np.asarray(photograph(16, 16, seed=ord(name))) for name in '092']
    np.testing.assert_array_equal(everything(pictures), expected)


def test_what_is_wrong_with_files_is_said(tmp_path):
    save(tmp_path / '1.png', photograph(16, 16).convert('L'))
    save(tmp_path / '2.jpg', photograph(16, 16))
    notes = ' '.join(FolderImages(tmp_path).notes)
    assert '1 of 2 pictures' in notes
    assert 'not of three 8-bit channels (L)' in notes
    assert 'JPEG: its losses count' in notes


@pytest.mark.parametrize(('height', 'width'), [(16, 20), (32, 32)])
def test_files_of_several_sizes_are_refused(tmp_path, height, width):
    save(tmp_path / '1.png', photograph(16, 16))
    save(tmp_path / '2.png', photograph(height, width))
    with pytest.raises(
        UserError, match=rf'2\.png has {width} x {height} pixels, 1\.png 16 x 16: .* squares of one size'
    ):
        FolderImages(tmp_path)


def test_folders_without_pictures_and_broken_files(tmp_path):
    with pytest.raises(UserError, match='has no pictures'):
        FolderImages(tmp_path)
    (tmp_path / '1.png').write_bytes(b'no picture')
    with pytest.raises(UserError, match=r'1\.png cannot be read'):
        FolderImages(tmp_path)
    huge_png(tmp_path / '1.png')
    with pytest.raises(UserError, match=r'1\.png cannot be read'):
        FolderImages(tmp_path)
