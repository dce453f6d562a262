"""Ranges of settings, written in the annotation of a parameter and checked from there.

    def __init__(self, steps: Annotated[int, AtLeast(1)], kind: Literal['text', 'image'] = 'text') -> None: ...

Recipes are checked before anything is constructed; models and groups of settings check what Python code gives them.
"""

import builtins
import collections.abc
import dataclasses
import functools
import inspect
import math
import operator
import types
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Literal

from stackgan_tf.system.errors import UserError


@dataclasses.dataclass(frozen=True)
class AtLeast:
    """From a number upwards."""

    least: float

    def check(self, name: str, value: Any) -> None:
        """Raises UserError if the value is smaller."""
        if not value >= self.least:
            raise UserError(f'{name} = {value!r} is too small: the least is {self.least}')


@dataclasses.dataclass(frozen=True)
class MoreThan:
    """Above a number."""

    bound: float

    def check(self, name: str, value: Any) -> None:
        """Raises UserError if the value is not larger."""
        if not value > self.bound:
            raise UserError(f'{name} = {value!r} must be more than {self.bound}')


@dataclasses.dataclass(frozen=True)
class LessThan:
    """Below a number."""

    bound: float

    def check(self, name: str, value: Any) -> None:
        """Raises UserError if the value is not smaller."""
        if not value < self.bound:
            raise UserError(f'{name} = {value!r} must be less than {self.bound}')


@dataclasses.dataclass(frozen=True)
class AtMost:
    """From a number downwards."""

    most: float

    def check(self, name: str, value: Any) -> None:
        """Raises UserError if the value is larger."""
        if not value <= self.most:
            raise UserError(f'{name} = {value!r} is too large: the most is {self.most}')


@dataclasses.dataclass(frozen=True)
class Doubling:
    """A power of two from a number upwards."""

    least: int

    def check(self, name: str, value: Any) -> None:
        """Raises UserError if the value is another number."""
        if value < self.least or value & (value - 1):
            raise UserError(f'{name} = {value!r} must be a power of two, at least {self.least}')


class OneOf:
    """A name in one of several collections, which may grow."""

    def __init__(self, *collections: Collection[str]) -> None:
        self.collections = collections

    def check(self, name: str, value: Any) -> None:
        """Raises UserError if the value is in none of them."""
        choices = [choice for collection in self.collections for choice in collection]
        if value not in choices:
            raise UserError(f'{name} = {value!r} must be {" or ".join(map(repr, choices))}')


@dataclasses.dataclass(frozen=True)
class Accepted:
    """What a function accepts; at anything else it raises ValueError, whose message says what is wrong."""

    function: Callable[[Any], Any]

    def check(self, name: str, value: Any) -> None:
        """Raises UserError if the function refuses the value."""
        try:
            self.function(value)
        except ValueError as error:
            raise UserError(str(error)) from error


Count = Annotated[int, AtLeast(1)]
Weight = Annotated[float, AtLeast(0)]
PowerOfTwo = Annotated[int, Doubling(4)]
Seed = Annotated[int, AtLeast(0), AtMost(2**31 - 1)]


def check_range(name: str, value: Any, annotation: Any) -> None:
    """Checks a value against the ranges and choices of an annotation; its type is not checked.

    Raises:
        UserError: it is outside them, or not finite; the message calls it `name`.
    """
    arguments = typing.get_args(annotation)
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f'{name} = {value!r} must be a finite number')
    match typing.get_origin(annotation):
        case typing.Annotated:
            check_range(name, value, arguments[0])
            for allowed in arguments[1:]:
                allowed.check(name, value)
        case typing.Literal if value not in arguments:
            raise UserError(f'{name} = {value!r} must be {" or ".join(map(repr, arguments))}')
        case typing.Union | types.UnionType:
            options = [option for option in arguments if option is not types.NoneType]
            if value is not None and len(options) == 1:
                check_range(name, value, options[0])
        case collections.abc.Sequence:
            _check_items(name, value, arguments[0])
        case builtins.tuple:
            for each, item in zip(value, arguments, strict=False):  # their number is part of the type
                check_range(name, each, item)


def _check_items(name: str, value: Any, item: Any) -> None:
    if typing.get_origin(item) is Literal:
        choices = typing.get_args(item)
        if isinstance(value, str) or any(each not in choices for each in value):
            raise UserError(f'{name} = {value!r} must be a list of some of {", ".join(map(repr, choices))}, or ()')
    else:
        for each in value:
            check_range(name, each, item)


def check_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Checks arguments of a function against the ranges of its parameters.

    Raises:
        UserError: one is outside its range.
    """
    annotations = inspect.get_annotations(function, eval_str=True)
    for name, value in arguments.items():
        if name in annotations:
            check_range(name, value, annotations[name])


def plain_type(annotation: Any) -> Any:
    """An annotation without ranges and choices: `Literal['a']` becomes `str`, `Annotated[int, ...]` becomes `int`."""
    arguments = typing.get_args(annotation)
    match typing.get_origin(annotation):
        case typing.Annotated:
            return plain_type(arguments[0])
        case typing.Literal:
            return type(arguments[0])
        case typing.Union | types.UnionType:
            return functools.reduce(operator.or_, map(plain_type, arguments))
        case collections.abc.Sequence:
            return collections.abc.Sequence[plain_type(arguments[0])]  # type: ignore[misc]
        case builtins.tuple:
            return tuple[*map(plain_type, arguments)]  # type: ignore[misc]
    return annotation
