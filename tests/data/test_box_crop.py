import pytest

from stackgan_tf.data.box_crop import crop_window


@pytest.mark.parametrize(
    ('box', 'window'),
    [
        ((60.0, 27.0, 325.0, 304.0), (0, 0, 465, 335)),  # R = 243, center (222, 179): cut off on three sides
        ((100, 100, 40, 20), (90, 80, 150, 140)),  # R = 30, center (120, 110)
        ((100.9, 100.9, 41.9, 20.9), (90, 80, 150, 140)),  # fractions are dropped
        ((0, 0, 10, 10), (0, 0, 12, 12)),
    ],
)
def test_the_released_formula(box, window):
    assert crop_window(box, 500, 335) == window


@pytest.mark.parametrize('box', [(600, 10, 20, 20), (10, 10, 0, 0), (10, 10, -5, -5)])
def test_a_box_without_pixels(box):
    with pytest.raises(ValueError, match='covers none of its 500 x 335 pixels'):
        crop_window(box, 500, 335)
