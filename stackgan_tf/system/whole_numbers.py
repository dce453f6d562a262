"""Whole numbers that people write in flags, names and files."""

import re

_DIGITS = re.compile('[0-9]{1,19}')  # `str.isdigit` also accepts characters that `int` refuses, such as a superscript


def whole_number(text: str, most: int = 2**63 - 1) -> int | None:
    """The number that decimal digits write.

    Args:
        text: the digits; nothing else is accepted, no sign and no space.
        most: the largest number, at most the default: that of int64.

    Returns:
        The number; None if the text is not one, or it is larger than `most`.
    """
    return int(text) if _DIGITS.fullmatch(text) and int(text) <= most else None
