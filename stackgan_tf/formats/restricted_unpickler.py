"""A pickle reader that only makes what a subclass allows: Python's own without its dangerous opcodes."""

import contextlib
import pickle
import pickletools
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FunctionType
from typing import IO, Any, ClassVar

from stackgan_tf.system.errors import UserError

# Left out: integers of over 255 bytes, sets, persistent ids, and all that makes objects of classes.
_ALLOWED_OPCODES = """
    PROTO FRAME STOP MARK POP POP_MARK DUP PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET
    NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
    BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
    EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM SETITEMS
    GLOBAL STACK_GLOBAL REDUCE BUILD
"""
_ITEM = 8  # bytes of an item of a container: a reference
_KEY_TYPES = (str, bytes, int, float, bool, type(None))  # hashing nested tuples can take very long


class RefusedError(Exception):
    """The file asks for something that such files never need; the text names it."""


@contextlib.contextmanager
def reading_errors(path: Path, kind: str, needed: str) -> Iterator[None]:
    """Turns any error of the code inside, which reads a file, into one line for the user.

    Args:
        path: of the file.
        kind: what it is not, for example `no pickle`.
        needed: who does not need what is refused, for example `no pickle of StackGAN`.

    Raises:
        UserError: on any error.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f'{path} cannot be read: {error.strerror or error}') from error
    except RefusedError as error:
        raise UserError(f'{path} is refused: it asks for {error}, which {needed} needs') from error
    except MemoryError as error:
        raise UserError(f'{path} cannot be read: not enough memory') from error
    except Exception as error:  # damaged files raise errors of many kinds
        raise UserError(f'{path} cannot be used: it is cut off, damaged or {kind}') from error


def set_items(target: Any, items: list[Any]) -> None:
    """Puts keys and values, in turn, into a dictionary."""
    if not isinstance(target, dict):
        raise ValueError('not a dictionary')
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) not in _KEY_TYPES:
            raise RefusedError(f'a key of type {type(key).__name__}')
        target[key] = value


class BoundedFile:
    """A file that refuses reads beyond its end, for which Python would allocate memory before reading."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size
        self.size = size

    def read(self, count: int) -> bytes:
        """Reads `count` bytes.

        Raises:
            EOFError: fewer are left.
        """
        if not 0 <= count <= self._left:
            raise EOFError
        self._left -= count
        return self._file.read(count)

    def readline(self) -> bytes:
        """Reads up to the end of the line, or of the file."""
        line = self._file.readline(self._left)
        self._left -= len(line)
        return line


def _refusal(opcode: str) -> Callable[[Any], None]:
    def load_refused(machine: Any) -> None:
        raise RefusedError(f'the opcode {opcode}')

    return load_refused


class RestrictedUnpickler(pickle._Unpickler):
    """Python's own pickle reader without its dangerous opcodes.

    The reader in C cannot be restricted: it allocates what a length or a memo index claims before it checks.

    Each kind of file is a subclass: `allowed` lists what it may name, by module and name. Only functions among these
    are called; they replace what the file names.
    """

    allowed: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    dispatch: ClassVar[dict[int, Callable[[Any], None]]]
    stack: list[Any]
    read: Callable[[int], bytes]
    readline: Callable[[], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: BoundedFile) -> None:
        super().__init__(file, encoding='latin1')
        self._allowance = 2 * file.size  # valid files copy their content at most twice: to bytes, to an array

    def build(self, target: Any, state: Any) -> None:
        """Handles BUILD on an object that an allowed function made."""
        raise RefusedError(f'a state of type {type(target).__name__}')

    def spend(self, result: Any) -> None:
        """Counts the bytes of a result.

        Raises:
            RefusedError: the file makes more of them than a valid file does.
        """
        if isinstance(result, bytes):
            size = len(result)
        elif type(result) in (list, tuple, dict):
            size = _ITEM * len(result)
        else:
            size = getattr(result, 'nbytes', 0)
        self._allowance -= size
        if self._allowance < 0:
            raise RefusedError('more copies of its data')

    def find_class(self, module: str, name: str) -> Any:
        """The object that the file names, if it is allowed."""
        try:
            return self.allowed[module][name]
        except KeyError:
            raise RefusedError(repr(f'{module}.{name}'[:80])) from None

    def _load_inst(self) -> None:
        module, name = (self.readline().strip().decode('latin1') for _ in range(2))
        raise RefusedError(f'an object of {f"{module}.{name}"[:80]!r}')

    def _load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, FunctionType):
            raise RefusedError(f'a call of type {type(function).__name__}')
        result = function(*arguments)
        self.spend(result)
        self.stack.append(result)

    def _load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        self.build(target, state)

    def _load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        set_items(self.stack[-1], [key, value])

    def _load_setitems(self) -> None:
        items = self.pop_mark()
        set_items(self.stack[-1], items)

    def _load_dict(self) -> None:
        items = self.pop_mark()
        self.stack.append({})
        set_items(self.stack[-1], items)

    def _load_bytearray8(self) -> None:
        (size,) = struct.unpack('<Q', self.read(8))
        self.stack.append(self.read(size))

    dispatch = {
        **pickle._Unpickler.dispatch,
        **{
            ord(opcode.code): _refusal(opcode.name)
            for opcode in pickletools.opcodes
            if opcode.name not in _ALLOWED_OPCODES.split()
        },
        pickle.INST[0]: _load_inst,
        pickle.REDUCE[0]: _load_reduce,
        pickle.BUILD[0]: _load_build,
        pickle.SETITEM[0]: _load_setitem,
        pickle.SETITEMS[0]: _load_setitems,
        pickle.DICT[0]: _load_dict,
        pickle.BYTEARRAY8[0]: _load_bytearray8,
    }
