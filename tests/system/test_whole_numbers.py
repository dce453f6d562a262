import pytest

from stackgan_tf.system.whole_numbers import whole_number


@pytest.mark.parametrize(
    ('text', 'number'),
    [
        ('0', 0),
        ('007', 7),
        ('9223372036854775807', 2**63 - 1),
        ('9223372036854775808', None),
        (5_000 * '9', None),
        ('²', None),
        ('٣', None),
        ('-1', None),
        (' 1', None),
        ('1_0', None),
        ('1\n', None),
        ('', None),
    ],
)
def test_only_decimal_digits_up_to_int64_are_numbers(text, number):
    assert whole_number(text) == number


def test_a_largest_number():
    assert (whole_number('8', 8), whole_number('9', 8)) == (8, None)
