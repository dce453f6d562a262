import io

import numpy as np
import pytest
from fuzzing import EXAMPLES, damaged, fuzz

from stackgan_tf.formats.numpy_files import read_array


def saved(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def read(content):
    return read_array(io.BytesIO(content), len(content))


@pytest.mark.parametrize(
    'array',
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(6, dtype='>i4').reshape(2, 3).T,
        np.float16(3),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_arrays_of_numbers(array):
    for version in ((1, 0), (2, 0)):
        np.testing.assert_array_equal(read(saved(np.asarray(array), version=version)), array)


def test_other_files_are_refused():
    whole = saved(np.ones((2, 3)))
    for content, reason in (
        (saved(np.array([{}], object)), 'elements of type object are not numbers'),
        (saved(np.array(['a'])), 'are not numbers'),
        (saved(np.ones(2, complex)), 'are not numbers'),
        (saved(np.ones(2), version=(3, 0)), 'a version of .npy files that is not known'),
        (whole[:-1], 'another size than its data'),
        (whole + b'x', 'another size than its data'),
        (whole.replace(b'(2, 3)', b'(9, 9)'), 'another size than its data'),
        (whole.replace(b'(2, 3), }', b'(2, 3, 4}'), 'a damaged header'),
        (whole.replace(b"'<f8'", b"'<f9'"), 'a damaged header'),
        (b'', 'EOF'),
        (b'PK\x03\x04', 'EOF'),
    ):
        with pytest.raises(ValueError, match=reason):
            read(content)


@EXAMPLES
def test_damaged_files(examples):
    def check(content):
        try:
            array = read(content)
        except ValueError:
            return
        assert array.nbytes <= len(content)

    fuzz(check, damaged(saved(np.arange(6.0).reshape(2, 3)), saved(np.ones(4, np.uint8))), examples)
