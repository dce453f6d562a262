from collections.abc import Sequence
from typing import Annotated, Literal

import pytest

from stackgan_tf.models.settings import Conditioning, DiscriminatorInputs
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import AtLeast, Count, LessThan, MoreThan, OneOf, PowerOfTwo, check_range, plain_type

Kind = Literal['text', 'image']
FEW = Annotated[float, AtLeast(0), LessThan(1)]


@pytest.mark.parametrize(
    ('value', 'annotation'),
    [
        (1, Count),
        (0.0, FEW),
        (0.999, FEW),
        (4, PowerOfTwo),
        ('text', Kind),
        (('text', 'text'), Sequence[Kind]),
        ((), Sequence[Kind]),
        (None, Count | None),
        ('b', Annotated[str, OneOf(('a',), {'b': 1})]),
        ((1, 2), tuple[Count, Count]),
    ],
)
def test_values_in_range(value, annotation):
    check_range('it', value, annotation)


@pytest.mark.parametrize(
    ('value', 'annotation', 'message'),
    [
        (0, Count, 'it = 0 is too small: the least is 1'),
        (1.0, FEW, 'it = 1.0 must be less than 1'),
        (0, Annotated[float, MoreThan(0)], 'it = 0 must be more than 0'),
        (float('nan'), float, 'it = nan must be a finite number'),
        (12, PowerOfTwo, 'it = 12 must be a power of two, at least 4'),
        ('words', Kind, "it = 'words' must be 'text' or 'image'"),
        ('text', Sequence[Kind], "it = 'text' must be a list of some of 'text', 'image', or ()"),
        ((2, 0), Sequence[Count], 'it = 0 is too small'),
        ((2, 0), tuple[Count, Count], 'it = 0 is too small'),
        (0, Count | None, 'it = 0 is too small'),
        ('c', Annotated[str, OneOf(('a',), {'b': 1})], "it = 'c' must be 'a' or 'b'"),
    ],
)
def test_values_out_of_range(value, annotation, message):
    with pytest.raises(UserError) as raised:
        check_range('it', value, annotation)
    assert str(raised.value).startswith(message)


def test_plain_types_have_no_ranges():
    assert plain_type(Count) is int
    assert plain_type(Kind | None) == str | None
    assert plain_type(Sequence[Kind]) == Sequence[str]
    assert plain_type(tuple[Count, Count]) == tuple[int, int]


def test_groups_and_models_check_what_python_gives_them():
    with pytest.raises(UserError, match="pairs = 'words' must be 'text' or 'image'"):
        Conditioning(pairs='words')
    with pytest.raises(UserError, match=r'augmentation = .* must be a list of some of'):
        DiscriminatorInputs(augmentation='color')
    with pytest.raises(UserError, match='noise_dimension = 0 is too small'):
        StackGANv2(noise_dimension=0)
