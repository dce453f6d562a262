"""The text that `--help` prints: what a command does, examples, and its flags in groups."""

import textwrap
from collections.abc import Mapping, Sequence

from absl import flags

_WIDTH = 100
_COLUMN = 26  # where the descriptions begin
_MULTIPLE = ';\n    repeat this option to specify a list of values'  # which absl appends

FlagGroups = Mapping[str, Sequence[flags.FlagHolder]]


def help_text(description: str, groups: FlagGroups, defined: flags.FlagValues) -> str:
    """What `--help` prints.

    Args:
        description: the docstring of the command's module: one line, then examples.
        groups: title to flags, in the order in which they are shown.
        defined: where the flags are defined.

    Returns:
        The text, without a newline at its end.
    """
    sections = [description.strip()]
    for title, holders in groups.items():
        sections.append('\n'.join([f'{title}:', *(_entry(defined[holder.name]) for holder in holders)]))
    sections.append('Values may follow a space or an equals sign. --helpfull lists the flags of libraries too.')
    return '\n\n'.join(sections)


def groups_of_module(defined: flags.FlagValues, module: str) -> FlagGroups:
    """All flags that a module defines, as one group, by name."""
    found = defined.flags_by_module_dict().get(module, [])
    return {'Flags': [flags.FlagHolder(defined, flag) for flag in sorted(found, key=lambda flag: flag.name)]}


def _entry(flag: flags.Flag) -> str:
    """A flag with its value, its description and its default, wrapped."""
    description = flag.help.removesuffix(_MULTIPLE).removesuffix('.')
    if isinstance(flag, flags.EnumFlag):
        description = description.partition('>: ')[2]  # absl puts the values first
    default = ','.join(map(str, flag.default)) if isinstance(flag.default, list) else flag.default
    if default not in (None, '') and not flag.boolean:
        description += f' (default: {default})'
    left = f'  --{flag.name}{_value(flag)}'
    lines = textwrap.wrap(description, _WIDTH - _COLUMN, break_long_words=False, break_on_hyphens=False)
    if len(left) > _COLUMN - 2:
        lines = ['', *lines]
    starts = [left, *[''] * (len(lines) - 1)]
    return '\n'.join(f'{start:{_COLUMN}}{line}'.rstrip() for start, line in zip(starts, lines, strict=True))


def _value(flag: flags.Flag) -> str:
    if flag.boolean:
        return ''
    if isinstance(flag, flags.EnumFlag):
        return '=' + '|'.join(flag.parser.enum_values)
    numeric = isinstance(flag.parser, flags.IntegerParser | flags.FloatParser)
    return '=' + ('N' if numeric else flag.name.rpartition('_')[2].upper())
