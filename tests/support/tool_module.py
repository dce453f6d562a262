"""Imports a script of tools/ into the process of the tests, and forgets it and its flags afterwards."""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from absl import flags

TOOLS = Path(__file__).parents[2] / 'tools'


@contextlib.contextmanager
def tool_module(name: str) -> Iterator[ModuleType]:
    """The module of `tools/NAME.py`; flags of commands that other tests imported are not defined meanwhile."""
    defined = flags.FLAGS.flags_by_module_dict()
    others = [(module, flag) for module in defined if module.startswith('stackgan_tf') for flag in defined[module]]
    for _, flag in others:
        delattr(flags.FLAGS, flag.name)
    before = set(flags.FLAGS)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(TOOLS))
            module = importlib.import_module(name)
        flags.FLAGS.mark_as_parsed()
        yield module
    finally:
        sys.modules.pop(name, None)
        for flag in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, flag)
        for owner, flag in others:
            flags.FLAGS[flag.name] = flag
            flags.FLAGS.register_flag_by_module(owner, flag)
