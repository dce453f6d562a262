"""Compares prepared splits with the sizes in the paper (its table of data sets)."""

from stackgan_tf.system.console import say


def compare(title: str, split: str, found: int, expected: int) -> None:
    """Prints one line if the number found differs from the expected one; never an error.

    Args:
        title: what is counted, for example `cub200_captions: images`.
        split: the split, for example `train`.
        found: how many there are.
        expected: how many the paper has.
    """
    if found != expected:
        say(f'{title} in {split}: {found:,} found, {expected:,} expected, as in the paper')
