"""IDX files: whole, compressed, and damaged."""

import contextlib
import gzip
import struct

import numpy as np
import pytest
from fuzzing import EXAMPLES, damaged, fuzz

from stackgan_tf.formats.idx import read_idx
from stackgan_tf.system.errors import UserError


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f'>{array.ndim}I', *array.shape) + array.tobytes()


ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize('name', ['digits', 'digits.gz'])
def test_an_array_is_read_plain_or_compressed(tmp_path, name):
    content = idx(ARRAY)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith('.gz') else content)
    np.testing.assert_array_equal(read_idx(tmp_path / name), ARRAY)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'not an IDX file of bytes'),
        (b'\0\0\x0d' + idx(ARRAY)[3:], 'not an IDX file of bytes'),  # of floats
        (idx(ARRAY)[:-1], 'an array of another size than its data'),
        (idx(ARRAY) + b'\0', 'an array of another size than its data'),
        (bytes([0, 0, 8, 3, 0, 0]), 'cannot be read to its end'),
        (bytes([0, 0, 8, 200]) + b'\xff' * 800, 'cannot be read to its end'),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, message):
    (tmp_path / 'digits').write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_idx(tmp_path / 'digits')


def test_a_cut_compressed_file_is_refused(tmp_path):
    (tmp_path / 'digits.gz').write_bytes(gzip.compress(idx(ARRAY))[:-9])
    with pytest.raises(UserError, match='cannot be read to its end'):
        read_idx(tmp_path / 'digits.gz')


@EXAMPLES
def test_any_damage_is_refused_or_read(tmp_path, examples):
    def check(content):
        (tmp_path / 'digits').write_bytes(content)
        with contextlib.suppress(UserError):
            assert read_idx(tmp_path / 'digits').dtype == np.uint8

    fuzz(check, damaged(idx(ARRAY)), examples)
