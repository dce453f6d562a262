"""Checks that gin does not make: unused macros, and values of the wrong type or range."""

import difflib
import re
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import typeguard

import gin
from stackgan_tf.models.settings import Settings
from stackgan_tf.recipe.configurables import CONFIGURABLES, parameter_types, required_parameters
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import check_range, plain_type

_MACRO = 'gin.macro'
Bindings = dict[tuple[str, str], dict[str, Any]]


def check_bindings() -> None:
    """Checks all bindings that gin holds.

    Raises:
        UserError: the first mistake.
    """
    bindings: Bindings = gin.config._CONFIG  # gin has no public way to list them; its version is pinned
    macros = {scope: values['value'] for (scope, selector), values in bindings.items() if selector == _MACRO}
    _check_macros(bindings, macros)
    _check_cycles(macros)
    _check_classes(bindings)
    _check_used(bindings)
    _check_required(bindings)
    for (scope, selector), values in bindings.items():
        if selector == _MACRO:
            continue
        configurable = selector.rpartition('.')[-1]
        annotations = parameter_types(configurable)
        for parameter, value in values.items():
            if parameter not in annotations:  # gin accepts `self`
                raise UserError(f'{configurable} has no setting {parameter}')
            setting = f'{configurable}.{parameter}'
            name = _knob(value) or f'{scope}/{setting}'.lstrip('/')
            _check_value(name, _resolved(value, macros, setting), annotations[parameter])


def _resolved(value: Any, macros: dict[str, Any], setting: str) -> Any:
    """A value whose macros are replaced by their values."""
    if (macro := _knob(value)) is not None:
        if macro not in macros:
            raise UserError(f'{setting} needs {macro}: set it, for example --gin_param="{macro} = ..."')
        return _resolved(macros[macro], macros, setting)
    if isinstance(value, list | tuple):
        return type(value)(_resolved(item, macros, setting) for item in value)
    return value


def _check_classes(bindings: Bindings) -> None:
    """Refuses gin's own configurables, which can call any function by its name."""
    named = {selector.rpartition('.')[-1] for _, selector in bindings if selector != _MACRO}
    named |= {name for bound in bindings.values() for value in bound.values() for _, name in _used_classes(value)}
    if unknown := sorted(named - CONFIGURABLES.keys()):
        raise UserError(f'{unknown[0]} is not for recipes: there are {", ".join(CONFIGURABLES)}')


def _check_used(bindings: Bindings) -> None:
    """Refuses groups of settings, or scopes of them, that nothing in the recipe names."""
    used = [key for bound in bindings.values() for value in bound.values() for key in _used_classes(value)]
    scopes: dict[str, list[str]] = {}
    for scope, name in used:
        scopes.setdefault(name, []).append(scope)
    for (scope, selector), bound in bindings.items():
        name = selector.rpartition('.')[-1]
        constructor = CONFIGURABLES.get(name)
        if not (isinstance(constructor, type) and issubclass(constructor, Settings)):
            continue
        setting = f'{scope}/{name}.{next(iter(bound))}'.lstrip('/')
        if name not in scopes:
            raise UserError(f'{setting} has no effect: nothing in this recipe uses @{name}')
        if scope and scope not in scopes[name]:
            known = ', '.join(f'{known}/{name}'.lstrip('/') for known in sorted(set(scopes[name])))
            raise UserError(f'{setting} has no effect: this recipe has {known}')


def _check_required(bindings: Bindings) -> None:
    """Checks that each class of the recipe has values for the parameters without a default."""
    values = [value for bound in bindings.values() for value in bound.values()]
    used = {('', 'Recipe')} | {key for value in values for key in _used_classes(value)}
    for scope, name in sorted(used):
        bound = {
            parameter
            for (bound_scope, selector), parameters in bindings.items()
            if selector.rpartition('.')[-1] == name and bound_scope in ('', scope)
            for parameter in parameters
        }
        missing = [parameter for parameter in required_parameters(name) if parameter not in bound]
        if missing:
            setting = f'{scope}/{name}.{missing[0]}'.lstrip('/')
            raise UserError(f'this recipe does not set {setting}: gin/quickstart.gin shows how')


def _used_classes(value: Any) -> Iterator[tuple[str, str]]:
    """Scope and name of the classes that a value mentions, also inside lists and tuples."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _used_classes(item)
    elif isinstance(value, gin.config.ConfigurableReference) and _knob(value) is None:
        scope, _, selector = value.scoped_selector.rpartition('/')
        yield scope, selector.rpartition('.')[-1]


def _knob(value: Any) -> str | None:
    """The macro that a value refers to, or None."""
    if isinstance(value, gin.config.ConfigurableReference) and value.evaluate and value.selector.endswith('macro'):
        return value.scoped_selector.rpartition('/')[0]
    return None


def _check_macros(bindings: Bindings, macros: dict[str, Any]) -> None:
    used = {name for values in bindings.values() for value in values.values() for name in _references(value)}
    for name in macros:
        if name not in used:
            close = difflib.get_close_matches(name, used, 1, 0.5)
            hint = f'did you mean {close[0]}?' if close else f'this recipe has {", ".join(sorted(used))}'
            raise UserError(f'nothing in this recipe uses {name}: {hint}')


def _check_cycles(macros: dict[str, Any]) -> None:
    left = {name: set(_references(value)) for name, value in macros.items()}
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    if left:
        raise UserError(f'{min(left)} means itself: give it a value')


def _references(value: Any) -> Iterator[str]:
    """The macros that a value mentions, also inside lists, tuples and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)
    elif (name := _knob(value)) is not None:
        yield name


def _check_value(name: str, value: Any, annotation: Any) -> None:
    expected = plain_type(annotation)
    if _holds_reference(value):
        # gin constructs these; their own parameters are checked where they are bound.
        if not _constructs(value, expected):
            raise UserError(f'{name} = {value!r} is of another kind: it takes {_type_name(expected)}')
        return
    try:
        typeguard.check_type(value, expected, collection_check_strategy=typeguard.CollectionCheckStrategy.ALL_ITEMS)
        # A bool is an int in Python; no setting takes it as one.
        wrong_type = isinstance(value, bool) and expected is not bool
    except typeguard.TypeCheckError:
        wrong_type = True
    if wrong_type:
        raise UserError(f'{name} = {value!r} is of the wrong type: it takes {_type_name(expected)}')
    check_range(name, value, annotation)


def _holds_reference(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_reference(item) for item in value)
    return isinstance(value, gin.config.ConfigurableReference)


def _constructs(value: Any, expected: Any) -> bool:
    """Whether references construct what a parameter of type `expected` takes, or without (), are such constructors."""
    options = [expected] if typing.get_origin(expected) not in (types.UnionType, typing.Union) else expected.__args__
    if isinstance(value, list | tuple):
        items = [typing.get_args(option)[0] for option in options if typing.get_origin(option) is Sequence]
        return bool(items) and all(_constructs(item, items[0]) for item in value)
    if not isinstance(value, gin.config.ConfigurableReference):
        return any(isinstance(option, type) and isinstance(value, option) for option in options)
    if not value.evaluate:
        options = [typing.get_args(option)[-1] for option in options if typing.get_origin(option) is Callable]
    constructor = CONFIGURABLES[value.selector.rpartition('.')[-1]]
    classes = [option for option in options if isinstance(option, type)]
    return Any in options or (isinstance(constructor, type) and issubclass(constructor, tuple(classes)))


def _type_name(expected: Any) -> str:
    if isinstance(expected, type):
        return expected.__name__
    return re.sub(r'\b(\w+\.)+', '', str(expected))
