import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.text.caption_readings import caption_readings
from stackgan_tf.text.characters import caption_tokens

RUSSIAN = ['\u043a\u0440\u0430\u0441\u043d\u0430\u044f', '\u0441\u0438\u043d\u044f\u044f', '\u0416 \u0416']
ODD = [
    *(
        '',
        ' ',
        'a bird',
        'A BIRD',
        'a bird ',
        'caf\u00e9',
        'caf',
        'caf\u00e8 x',
        '\u212a',
        'k',
        'a-b',
        'a\tb',
        'a\nb',
        *RUSSIAN,
    ),
    *('x' * 200 + 'y' + tail for tail in ('', 'z', '\u00e9')),
    *('\u7ea2' * 170 + tail for tail in ('a', 'bc', 'bd', 'bcd', 'bce')),
    *(b'\xff', b'\xff\xfe', b'cut \xe2\x9c', b'nul\0', b'nul'),
]


@pytest.mark.parametrize('alphabet', ['ascii', 'bytes'])
def test_captions_read_alike_exactly_if_they_have_the_same_tokens(alphabet):
    captions = [text.encode() if isinstance(text, str) else text for text in ODD]
    tokens = caption_tokens(tf.constant(captions), alphabet).numpy()
    for row in range(len(ODD)):
        for other in range(row):
            readings = caption_readings([ODD[row], ODD[other]], alphabet)
            assert (readings.read == 1) == np.array_equal(tokens[row], tokens[other]), (ODD[row], ODD[other])


def test_everything_that_is_lost_is_counted():
    captions = ['x' * 201, 'x' * 202, 'x' * 202, 'X' * 203, *RUSSIAN, 'caf\u00e9 bird', 'a bird', 'A bird', '']
    readings = caption_readings(captions, 'ascii')
    assert (readings.count, readings.cut, readings.unknown) == (11, 3, 3)
    assert (readings.different, readings.read) == (9, 5)  # one x * 201; two of Russian and the empty one
    assert readings.losses() == [
        '3 of 11 captions are longer than 201 characters',
        '3 of 11 captions consist mostly of characters that it does not read',
        '9 different captions become 5 different ones',
    ]
    assert readings.lossy()


def test_bytes_read_all_but_the_end():
    assert not caption_readings([*RUSSIAN, 'x' * 512], 'bytes').losses()
    readings = caption_readings(['\u0436' * 257, '\u0416' * 258], 'bytes')
    assert readings.losses() == [
        '2 of 2 captions are longer than 512 bytes',
        '2 different captions become one and the same',
    ]


def test_few_long_captions_among_many_call_for_no_other_alphabet():
    captions = [f'a bird of {number} feathers' for number in range(200)]
    assert not caption_readings(captions, 'ascii').losses()
    few = caption_readings([*captions, 'x' * 300], 'ascii')
    assert few.losses() == ['1 of 201 captions is longer than 201 characters']
    assert not few.lossy()
