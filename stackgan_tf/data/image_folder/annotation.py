"""What a folder says about an image: captions, box, class, split."""

from typing import NamedTuple


class Annotation(NamedTuple):
    """The captions, box, class and split of an image.

    Attributes:
        captions: may be empty.
        box: x, y, width and height of its object, pixels; None if unknown.
        label: its class; empty if unknown.
        split: `train`, `test` or `val`; empty if unknown.
    """

    captions: tuple[str, ...] = ()
    box: tuple[float, ...] | None = None
    label: str = ''
    split: str = ''


def together(earlier: Annotation, later: Annotation) -> Annotation:
    """Merges two records of an image: all different captions; the later box, class and split."""
    return Annotation(
        tuple(dict.fromkeys(earlier.captions + later.captions)),
        later.box or earlier.box,
        later.label or earlier.label,
        later.split or earlier.split,
    )
