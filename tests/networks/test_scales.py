import pytest

from stackgan_tf.networks.scales import check_sizes, doublings


@pytest.mark.parametrize('sizes', [(8,), [64, 128, 256], (8, 16, 32, 64, 128), (1024,)])
def test_good_sizes(sizes):
    assert check_sizes(sizes) == tuple(sizes)


@pytest.mark.parametrize(
    ('sizes', 'message'),
    [
        ((), '0 scales'),
        ((8, 16, 32, 64, 128, 256), '6 scales'),
        ((4, 8), 'the smallest is 8'),
        ((12, 24), 'not a power of two'),
        ((16, 48), 'after 16 comes 32, not 48'),
        ((32, 16), 'after 32 comes 64, not 16'),
    ],
)
def test_bad_sizes(sizes, message):
    with pytest.raises(ValueError, match=message):
        check_sizes(sizes)


def test_doublings():
    assert [doublings(size) for size in (4, 8, 64, 256)] == [0, 1, 4, 6]
