"""Pickles of others: lists of names, numbers and arrays, read by a machine that can make nothing else."""

import math
import os
import pickle
import pickletools
import re
import struct
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, BinaryIO, ClassVar

import numpy as np

from stackgan_tf.user_error import UserError

# Not among them: integers of over 255 bytes, sets, persistent ids, and all that makes objects of classes.
_ALLOWED_OPCODES = """
    PROTO FRAME STOP MARK POP POP_MARK DUP PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET
    NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
    BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
    EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM SETITEMS
    GLOBAL STACK_GLOBAL REDUCE BUILD
"""
_KEY_TYPES = (str, bytes, int, float, bool, type(None))  # hashing nested tuples can take for ever
_ELEMENT_TYPES = re.compile('b1|[iu][1248]|f[248]|c8|c16')
_MAX_DIMENSIONS = 32
_MAX_EMPTY_DIMENSION = 1 << 16  # of arrays without elements, whose shape no data vouches for


class _RefusedError(Exception):
    """The file asks for something that such files never need; the text says for what."""


def read_pickle(path: Path) -> Any:
    """Reads a pickle of StackGAN's release, or what Python 3 wrote of the same kind, and runs nothing in it.

    That is: protocols 0 to 5; None, booleans, numbers, strings, lists, tuples and dictionaries of them; NumPy's
    numeric arrays and scalars. No length, shape or index in the file is believed before it is checked.

    Returns:
        What was pickled. Strings of Python 2 are decoded as Latin-1, one character a byte: `text` makes names of them.
        Scalars of NumPy stay such, bytearrays become bytes; arrays may be read-only.

    Raises:
        UserError: it cannot be read, is damaged, or asks for anything else; one line that names the file and what.
    """
    try:
        with path.open('rb') as file:
            return _Machine(file, os.fstat(file.fileno()).st_size).load()
    except OSError as error:
        raise UserError(f'{path} cannot be read: {error.strerror or error}') from error
    except _RefusedError as error:
        raise UserError(f'{path} is refused: it asks for {error}, which no pickle of StackGAN needs') from error
    except MemoryError as error:
        raise UserError(f'{path} cannot be read: not enough memory') from error
    except Exception as error:  # damaged files raise what the machine stumbles over, of ten kinds
        raise UserError(f'{path} cannot be used: it is cut off, damaged or no pickle') from error


def text(value: str | bytes) -> str:
    """A name from a pickle: decoded as UTF-8 if its bytes are that, else one character a byte.

    Args:
        value: as `read_pickle` returned it; a string of Python 3 stays as it is.
    """
    try:
        return (value if isinstance(value, bytes) else value.encode('latin1')).decode('utf-8')
    except UnicodeError:
        return value.decode('latin1') if isinstance(value, bytes) else value


class _ElementType:
    """A dtype in the making: a pickle gives its name first and its byte order later."""

    def __init__(self, name: Any) -> None:
        if not isinstance(name, str) or not _ELEMENT_TYPES.fullmatch(name):
            raise _RefusedError(f'elements of type {name[:40] if isinstance(name, str) else type(name).__name__!r}')
        self.dtype = np.dtype(name)

    def set_state(self, state: Any) -> None:
        if any(part is not None for part in state[2:5]):
            raise _RefusedError('elements that have parts')
        self.dtype = self.dtype.newbyteorder(state[1])


# What a pickle may call. They stand in for NumPy's own, which allocate whatever they are asked to.


def _dtype(name: Any, _align: Any = None, _copy: Any = None) -> _ElementType:
    return _ElementType(name)


def _reconstruct(array_type: Any, shape: Any, _letter: Any) -> np.ndarray:
    if array_type is not np.ndarray or shape != (0,):
        raise _RefusedError('an array without data')
    return np.ndarray(0, np.int8)


def _fill(array: Any, _version: Any, shape: Any, element: Any, is_fortran: Any, data: Any) -> None:
    """What BUILD does with an array of `_reconstruct`."""
    content = _array_bytes(element, shape, data)
    array.__setstate__((1, shape, element.dtype, bool(is_fortran), content))


def _scalar(element: Any, data: Any) -> np.generic:
    return np.frombuffer(_array_bytes(element, (), data), element.dtype)[0]


def _frombuffer(data: Any, element: Any, shape: Any, order: Any, axes: Any = None) -> np.ndarray:
    array = np.frombuffer(_array_bytes(element, shape, data), element.dtype)
    if order == 'K':  # its axes are in another order than its memory
        return array.reshape(shape).transpose(axes)
    return array.reshape(shape, order=order)


def _encode(value: Any, encoding: Any) -> bytes:
    """How Python 3 writes bytes in the protocols of Python 2."""
    if encoding != 'latin1':
        raise _RefusedError('an encoding other than latin1')
    return str.encode(value, 'latin1')


def _no_bytes() -> bytes:
    """How Python 3 writes b'' there."""
    return b''


_MULTIARRAY = {'_reconstruct': _reconstruct, 'scalar': _scalar}
_NUMERIC = {'_frombuffer': _frombuffer}
_ALLOWED: dict[str, dict[str, Any]] = {
    'numpy': {'ndarray': np.ndarray, 'dtype': _dtype},
    'numpy.core.multiarray': _MULTIARRAY,
    'numpy._core.multiarray': _MULTIARRAY,
    'numpy.core.numeric': _NUMERIC,
    'numpy._core.numeric': _NUMERIC,
    '_codecs': {'encode': _encode},
    '__builtin__': {'bytes': _no_bytes},
    'builtins': {'bytes': _no_bytes},
}


def _array_bytes(element: Any, shape: Any, data: Any) -> bytes:
    """An array's data, if they are as many as its shape says."""
    if not isinstance(element, _ElementType) or not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise ValueError('not an array')
    if any(type(size) is not int or size < 0 for size in shape):
        raise ValueError('not a shape')
    content = data.encode('latin1') if isinstance(data, str) else data
    if not isinstance(content, bytes) or math.prod(shape) * element.dtype.itemsize != len(content):
        raise _RefusedError('an array of another size than its data')
    if not content and max(shape) > _MAX_EMPTY_DIMENSION:
        raise _RefusedError('an empty array of absurd shape')
    return content


class _BoundedFile:
    """A file that nobody asks for more than it has left: Python would allocate that before reading."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def read(self, count: int) -> bytes:
        if not 0 <= count <= self._left:
            raise EOFError
        self._left -= count
        return self._file.read(count)

    def readline(self) -> bytes:
        line = self._file.readline(self._left)
        self._left -= len(line)
        return line


def _refusal(opcode: str) -> Callable[[Any], None]:
    def load_refused(machine: Any) -> None:
        raise _RefusedError(f'the opcode {opcode}')

    return load_refused


class _Machine(pickle._Unpickler):
    """Python's own reader of pickles without what is dangerous in it.

    The reader in C is closed: it allocates what a length or a memo's index claims, before it looks.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]]
    stack: list[Any]
    read: Callable[[int], bytes]
    readline: Callable[[], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(_BoundedFile(file, size), encoding='latin1')
        self._allowance = 2 * size  # honest files copy what they hold at most twice: to bytes, to an array

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module][name]
        except KeyError:
            raise _RefusedError(repr(f'{module}.{name}'[:80])) from None

    def load_inst(self) -> None:
        module, name = (self.readline().strip().decode('latin1') for _ in range(2))
        raise _RefusedError(f'an object of {f"{module}.{name}"[:80]!r}')

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, FunctionType):
            raise _RefusedError(f'a call of type {type(function).__name__}')
        result = function(*arguments)
        self._spend(result)
        self.stack.append(result)

    def load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, _ElementType):
            target.set_state(state)
        elif isinstance(target, np.ndarray):
            _fill(target, *state)
            self._spend(target)
        else:
            raise _RefusedError(f'a state of type {type(target).__name__}')

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items([key, value])

    def load_setitems(self) -> None:
        self._set_items(self.pop_mark())

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.stack.append({})
        self._set_items(items)

    def load_bytearray8(self) -> None:
        (size,) = struct.unpack('<Q', self.read(8))
        self.stack.append(self.read(size))

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise ValueError('not a dictionary')
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in _KEY_TYPES:
                raise _RefusedError(f'a key of type {type(key).__name__}')
            target[key] = value

    def _spend(self, result: Any) -> None:
        self._allowance -= len(result) if isinstance(result, bytes) else getattr(result, 'nbytes', 0)
        if self._allowance < 0:
            raise _RefusedError('more copies of its data')

    dispatch = {
        **pickle._Unpickler.dispatch,
        **{
            ord(opcode.code): _refusal(opcode.name)
            for opcode in pickletools.opcodes
            if opcode.name not in _ALLOWED_OPCODES.split()
        },
        pickle.INST[0]: load_inst,
        pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        pickle.BYTEARRAY8[0]: load_bytearray8,
    }
