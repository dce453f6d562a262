"""PyTorch's files of weights (.pth) without PyTorch: both formats. Runs no code in them and checks every size.

Until version 1.5 `torch.save` wrote pickles, one after the other, and then the storages' bytes; since then it writes a
zip archive with a pickle and a file a storage. Pickles name tensors as views of storages: sizes, strides, an offset.
"""

import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ClassVar, NamedTuple

import numpy as np

from stackgan_tf.formats.restricted_unpickler import (
    BoundedFile,
    RefusedError,
    RestrictedUnpickler,
    reading_errors,
    set_items,
)
from stackgan_tf.formats.strided import strided
from stackgan_tf.system.errors import UserError

_ZIP = b'PK\x03\x04'
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_ELEMENT_TYPES = {
    'Float': '<f4', 'Double': '<f8', 'Half': '<f2', 'Byte': 'u1', 'Char': 'i1', 'Short': '<i2', 'Int': '<i4',
    'Long': '<i8', 'Bool': '?',
}  # fmt: skip
_STORAGES = {f'{name}Storage': np.dtype(element) for name, element in _ELEMENT_TYPES.items()}
_MAX_DIMENSIONS = 32
_STORAGE_PARTS = 6
_MAX_COPIES = 8  # of the file's size: tensors may share a storage


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Reads the weights of a network from a file that `torch.save(network.state_dict(), path)` wrote.

    Returns:
        Arrays by name, in the order of the file; they cannot be written to, and may share memory.

    Raises:
        UserError: it cannot be read, is damaged, asks for anything but tensors, or holds something else than weights by
            name; one line that names the file and the reason.
    """
    with reading_errors(path, 'no PyTorch checkpoint', 'no file of weights'), path.open('rb') as file:
        size = os.fstat(file.fileno()).st_size
        is_zip = file.read(len(_ZIP)) == _ZIP
        file.seek(0)
        content, storages = (_read_zip if is_zip else _read_pickles)(file, size)
    return _arrays(path, content, storages, _MAX_COPIES * size)


class _Storage(NamedTuple):
    """A part of a storage that the file holds elsewhere; in elements."""

    key: str
    first: int
    length: int


class _Tensor(NamedTuple):
    """A tensor's view of a storage; in elements."""

    storage: _Storage
    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


# The functions that a checkpoint may call.


def _rebuild_tensor(storage: Any, offset: Any, sizes: Any, strides: Any, *_gradient: Any) -> _Tensor:
    if not isinstance(storage, _Storage) or not isinstance(sizes, tuple) or not isinstance(strides, tuple):
        raise ValueError('not a tensor')  # a list would be copied
    if len(sizes) != len(strides) or len(sizes) > _MAX_DIMENSIONS:
        raise ValueError('not a shape')
    if any(type(number) is not int for number in (offset, *sizes, *strides)):
        raise ValueError('not numbers')
    return _Tensor(storage, offset, sizes, strides)


def _rebuild_parameter(tensor: Any, *_gradient: Any) -> Any:
    return tensor


def _ordered_dict(items: Any = ()) -> dict[Any, Any]:
    """Python 2 passes pairs; Python 3 sets items afterwards."""
    result: dict[Any, Any] = {}
    for key, value in items:
        set_items(result, [key, value])
    if len(result) != len(items):
        raise ValueError('a key twice')  # the length of the result, which is paid for, is that of the work
    return result


def _size(sizes: Any) -> tuple[Any, ...]:
    if len(sizes) > _MAX_DIMENSIONS:
        raise ValueError('not a shape')
    return tuple(sizes)


class _Machine(RestrictedUnpickler):
    """Reads the pickles of a checkpoint.

    Attributes:
        storages: element type and number of elements of each storage that was named.
    """

    allowed = {
        'collections': {'OrderedDict': _ordered_dict},
        'torch': {**_STORAGES, 'Size': _size},
        'torch.cuda': _STORAGES,
        'torch._utils': {
            '_rebuild_tensor': _rebuild_tensor,
            '_rebuild_tensor_v2': _rebuild_tensor,
            '_rebuild_parameter': _rebuild_parameter,
        },
    }
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **RestrictedUnpickler.dispatch,
        pickle.BINPERSID[0]: pickle._Unpickler.load_binpersid,  # type: ignore[attr-defined]
    }

    def __init__(self, file: BoundedFile) -> None:
        super().__init__(file)
        self.storages: dict[str, tuple[np.dtype, int]] = {}

    def build(self, target: Any, state: Any) -> None:
        if not isinstance(target, dict):  # the state of an OrderedDict only holds versions of layers
            super().build(target, state)

    def persistent_load(self, saved: Any) -> _Storage:
        if len(saved) > _STORAGE_PARTS:
            raise ValueError('not a storage')
        kind, dtype, key, _location, count, *view = saved
        if kind != 'storage' or not isinstance(key, str) or not isinstance(dtype, np.dtype) or type(count) is not int:
            raise ValueError('not a storage')
        if self.storages.setdefault(key, (dtype, count)) != (dtype, count):
            raise ValueError('a storage of two kinds')
        if not any(view):
            return _Storage(key, 0, count)
        _, first, length = view[0]
        if type(first) is not int or type(length) is not int or not 0 <= first <= first + length <= count:
            raise ValueError('a view of more than the storage')
        return _Storage(key, first, length)


def _read_pickles(file: IO[bytes], size: int) -> tuple[Any, dict[str, np.ndarray]]:
    """The old format: the saved object, and its storages."""
    bounded = BoundedFile(file, size)
    magic, version, system = (_Machine(bounded).load() for _ in range(3))
    if magic != _MAGIC_NUMBER or version != _PROTOCOL_VERSION:
        raise ValueError('not a checkpoint')
    if not system['little_endian']:
        raise RefusedError('numbers of a big-endian machine')
    machine = _Machine(bounded)
    content = machine.load()
    storages: dict[str, np.ndarray] = {}
    for key in _Machine(bounded).load():
        dtype, count = machine.storages[key]
        if key in storages or struct.unpack('<q', bounded.read(8)) != (count,):
            raise ValueError('storages that are not those of the tensors')
        storages[key] = np.frombuffer(bounded.read(count * dtype.itemsize), dtype)
    return content, {key: storages[key] for key in machine.storages}


def _read_zip(file: IO[bytes], size: int) -> tuple[Any, dict[str, np.ndarray]]:
    """The new format: the saved object, and its storages."""
    with zipfile.ZipFile(file) as archive:
        reader = _ZipReader(archive, size)
        (root,) = {name.removesuffix('/data.pkl') for name in reader.names if name.endswith('/data.pkl')}
        if f'{root}/byteorder' in reader.names and reader.read(f'{root}/byteorder') != b'little':
            raise RefusedError('numbers of a big-endian machine')
        pickled = reader.bounded(f'{root}/data.pkl')
        machine = _Machine(pickled)
        content = machine.load()
        storages = {}
        for key, (dtype, count) in machine.storages.items():
            storages[key] = np.frombuffer(reader.read(f'{root}/data/{key}'), dtype)
            if len(storages[key]) != count:
                raise ValueError('a storage of another size')
    return content, storages


class _ZipReader:
    """Reads uncompressed entries of an archive, in total no more bytes than the archive has."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._left = size
        self.names = set(archive.namelist())

    def bounded(self, name: str) -> BoundedFile:
        info = self._archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED:
            raise RefusedError('compressed entries')
        self._left -= info.file_size
        if self._left < 0:
            raise ValueError('entries that are larger than their archive')
        return BoundedFile(self._archive.open(info), info.file_size)

    def read(self, name: str) -> bytes:
        bounded = self.bounded(name)
        return bounded.read(bounded.size)


def _arrays(path: Path, content: Any, storages: dict[str, np.ndarray], most: int) -> dict[str, np.ndarray]:
    """The tensors as arrays, in total at most `most` bytes.

    Raises:
        UserError: the content is not tensors by name, or a tensor exceeds its storage.
    """
    if not isinstance(content, dict):
        raise UserError(f'{path} holds a {type(content).__name__}, no weights by name: save state_dict() of a network')
    arrays = {}
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            what = f'{ascii(name)[:80]} of type {type(tensor).__name__}'
            raise UserError(f'{path} holds {what}, not weights by name alone: save state_dict() of a network')
        key, first, length = tensor.storage
        try:
            array = strided(storages[key][first : first + length], tensor.sizes, tensor.strides, tensor.offset, most)
        except ValueError as error:
            raise UserError(f'{path} cannot be used: its tensor {ascii(name)[:80]} is {error}') from error
        most -= array.nbytes
        arrays[name] = array
    return arrays
