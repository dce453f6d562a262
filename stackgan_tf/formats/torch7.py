"""Torch 7's binary serialization (.t7), read with every size checked before it is used."""

import os
import re
import struct
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from stackgan_tf.formats.strided import strided
from stackgan_tf.system.errors import UserError

_NIL, _NUMBER, _STRING, _TABLE, _TORCH_OBJECT, _BOOLEAN = range(6)
_FUNCTIONS = (6, 7, 8)
_ELEMENT_TYPES = {
    'Float': '<f4', 'Double': '<f8', 'Half': '<f2', 'Byte': 'u1', 'Char': 'i1', 'Short': '<i2', 'Int': '<i4',
    'Long': '<i8', 'Cuda': '<f4', 'CudaDouble': '<f8', 'CudaHalf': '<f2', 'CudaByte': 'u1', 'CudaChar': 'i1',
    'CudaShort': '<i2', 'CudaInt': '<i4', 'CudaLong': '<i8',
}  # fmt: skip
_TENSORS = {f'torch.{name}Tensor': np.dtype(element) for name, element in _ELEMENT_TYPES.items()}
_STORAGES = {f'torch.{name}Storage': np.dtype(element) for name, element in _ELEMENT_TYPES.items()}
_VERSION = re.compile(rb'V \d+')
_MAX_DIMENSIONS = 32
_MAX_DEPTH = 10_000  # nngraph's networks are chains of nodes, hundreds deep
_MAX_COPIES = 8  # of the file's size: tensors may share a storage, and here each gets its own
_MAX_INTEGER = 1 << 53

_Reading = Generator[None, Any, Any]


@dataclass(frozen=True, eq=False)
class TorchObject:
    """A Lua object other than a tensor, as inert data.

    Attributes:
        class_name: for example `nn.Linear`.
        content: what its class wrote of it, mostly a table of its fields.
    """

    class_name: str
    content: Any = field(repr=False)


class _BadFileError(Exception):
    """The text says what is wrong with the file."""


def read_t7(path: Path) -> Any:
    """Reads the first object of a binary .t7 file.

    Returns:
        nil as None, numbers as floats, strings as bytes, booleans as they are, tables as dictionaries whose whole
        keys are integers and whose keys that are tables are each in a `TorchObject` of class `table`, tensors and
        storages as arrays in C order, other objects of Torch as `TorchObject`. An object that the file refers to
        several times is one object here; tensors with the same view of a storage are one array.

    Raises:
        UserError: it cannot be read, is damaged, or holds functions; one line that names the file.
    """
    try:
        with path.open('rb') as file:
            return _Reader(file, os.fstat(file.fileno()).st_size).read()
    except OSError as error:
        raise UserError(f'{path} cannot be read: {error.strerror or error}') from error
    except MemoryError as error:
        raise UserError(f'{path} cannot be read: not enough memory') from error
    except _BadFileError as error:
        raise UserError(f'{path} cannot be used: {error}') from error


def as_list(table: Any) -> list[Any]:
    """The values of a table with keys 1 to n, in their order.

    Raises:
        ValueError: it is not such a table.
    """
    if not isinstance(table, dict) or not all(key in table for key in range(1, len(table) + 1)):
        raise ValueError('it is not a table with keys 1 to n')
    return [table[key] for key in range(1, len(table) + 1)]


class _Reader:
    """Reads one object after another; an object requests its parts by `yield`, so nothing recurses."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size
        self._allowance = _MAX_COPIES * size
        self._objects: dict[int, Any] = {}
        self._copies: dict[tuple, np.ndarray] = {}
        self._keys: dict[int, TorchObject] = {}

    def read(self) -> Any:
        readings = [self._object()]
        value = None
        while readings:
            try:
                readings[-1].send(value)
            except StopIteration as end:
                value = end.value
                readings.pop()
            else:
                value = None
                readings.append(self._object())
                if len(readings) > _MAX_DEPTH:
                    raise _BadFileError(f'it nests objects more than {_MAX_DEPTH:,} deep')
        return value

    def _object(self) -> _Reading:
        tag = self._int()
        if tag == _NIL:
            return None
        if tag == _NUMBER:
            return self._unpack('<d')[0]
        if tag == _STRING:
            return self._string()
        if tag == _BOOLEAN:
            return bool(self._int())
        if tag in _FUNCTIONS:
            raise _BadFileError('it holds a function of Lua, which is not run here')
        if tag not in (_TABLE, _TORCH_OBJECT):
            raise _BadFileError(f'it is damaged or no binary .t7 file (type {tag})')
        index = self._int()
        if index in self._objects:
            return self._objects[index]
        return (yield from self._table(index) if tag == _TABLE else self._torch_object(index))

    def _table(self, index: int) -> _Reading:
        table: dict[Any, Any] = {}
        self._objects[index] = table
        count = self._int()
        if not 0 <= 8 * count <= self._left:  # even two nils take 8 bytes
            raise _BadFileError('it is cut off or damaged')
        for _ in range(count):
            key = yield
            if isinstance(key, float) and key.is_integer() and abs(key) <= _MAX_INTEGER:
                key = int(key)
            if isinstance(key, dict):
                key = self._keys.setdefault(id(key), TorchObject('table', key))
            if not isinstance(key, int | float | bytes | TorchObject):
                raise _BadFileError(f'it has a table with a key of type {type(key).__name__}')
            if key in table:  # also 1 and true, which are equal in Python
                raise _BadFileError('it has a table with a key twice')
            table[key] = yield
        return table

    def _torch_object(self, index: int) -> _Reading:
        class_name = self._string()
        if _VERSION.fullmatch(class_name):  # the oldest files have none
            class_name = self._string()
        name = class_name.decode('latin1')
        self._objects[index] = None
        if name in _TENSORS:
            value = yield from self._tensor(_TENSORS[name])
        elif name in _STORAGES:
            value = self._storage(_STORAGES[name])
        else:
            value = TorchObject(name, None)
            self._objects[index] = value
            object.__setattr__(value, 'content', (yield))
        self._objects[index] = value
        return value

    def _storage(self, dtype: np.dtype) -> np.ndarray:
        (count,) = self._unpack('<q')
        return np.frombuffer(self._take(count * dtype.itemsize), dtype)

    def _tensor(self, dtype: np.dtype) -> _Reading:
        dimensions = self._int()
        if not 0 <= dimensions <= _MAX_DIMENSIONS:
            raise _BadFileError(f'it has a tensor of {dimensions} dimensions')
        sizes = self._unpack(f'<{dimensions}q')
        strides = self._unpack(f'<{dimensions}q')
        (offset,) = self._unpack('<q')
        storage = yield
        if not dimensions:
            return np.zeros(0, dtype)
        if not isinstance(storage, np.ndarray) or storage.ndim != 1 or storage.dtype != dtype:
            raise _BadFileError('it has a tensor without a storage')
        return self._copy(storage, sizes, strides, offset - 1)

    def _copy(self, storage: np.ndarray, sizes: tuple, strides: tuple, offset: int) -> np.ndarray:
        """A copy of a tensor's view of its storage; sizes, strides and offset in elements."""
        view_key = (id(storage), sizes, strides, offset)
        if view_key not in self._copies:  # networks that share weights have the same view dozens of times
            try:
                view = strided(storage, sizes, strides, offset, self._allowance)
            except ValueError as error:
                raise _BadFileError(f'it has a tensor that is {error}') from error
            self._allowance -= view.nbytes
            self._copies[view_key] = view.copy()
        return self._copies[view_key]

    def _string(self) -> bytes:
        return self._take(self._int())

    def _int(self) -> int:
        return self._unpack('<i')[0]

    def _unpack(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self._take(struct.calcsize(form)))

    def _take(self, count: int) -> bytes:
        data = self._file.read(count) if 0 <= count <= self._left else b''
        if len(data) != count:
            raise _BadFileError('it is cut off or damaged')
        self._left -= count
        return data
