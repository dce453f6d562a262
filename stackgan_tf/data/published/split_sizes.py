"""The sizes of the paper's splits (its table of data sets), against which what was prepared is held."""

from stackgan_tf.system.console import say


def compare(title: str, split: str, found: int, expected: int) -> None:
    """Says so, in one line, if there are not as many as expected; nothing is stopped by it.

    Args:
        title: what is counted, for example `cub200_captions: pictures`.
        split: in which they are, for example `train`.
        found: how many there are.
        expected: how many the paper has.
    """
    if found != expected:
        say(f'{title} in {split}: {found:,} found, {expected:,} expected, as in the paper')
