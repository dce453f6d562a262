"""The crop around an object, which then fills most of the image (StackGAN, "Datasets and evaluation metrics")."""

from collections.abc import Sequence


def crop_window(box: Sequence[float], width: int, height: int) -> tuple[int, int, int, int]:
    """The square around a box whose side is 1.5 times the box's longer side, cut off at the image's borders.

    Args:
        box: x, y (of the top left corner), width and height, pixels; fractions are dropped, as in the released code.
        width: of the image, pixels.
        height: of the image, pixels.

    Returns:
        Left, top, right and bottom; not a square where the border cuts it.

    Raises:
        ValueError: the square lies outside the image, or is empty.
    """
    x, y, box_width, box_height = (int(value) for value in box)
    reach = int(0.75 * max(box_width, box_height))
    column, row = (2 * x + box_width) // 2, (2 * y + box_height) // 2
    window = (max(0, column - reach), max(0, row - reach), min(width, column + reach), min(height, row + reach))
    if window[0] >= window[2] or window[1] >= window[3]:
        raise ValueError(f'its box {list(box)} covers none of its {width} x {height} pixels')
    return window
