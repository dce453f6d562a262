"""Reads other people's pickles: lists of names, numbers and arrays, and nothing else."""

import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from stackgan_tf.formats.restricted_unpickler import BoundedFile, RefusedError, RestrictedUnpickler, reading_errors

_ELEMENT_TYPES = re.compile('b1|[iu][1248]|f[248]|c8|c16')
_MAX_DIMENSIONS = 32
_MAX_EMPTY_DIMENSION = 1 << 16  # of arrays without elements, whose shape cannot be checked against data


def read_pickle(path: Path) -> Any:
    """Reads a pickle of StackGAN's release, or what Python 3 wrote of the same kind, and runs nothing in it.

    It reads protocols 0 to 5: None, booleans, numbers, strings, lists, tuples and dictionaries of them; NumPy's
    numeric arrays and scalars. Every length, shape and index in the file is checked before it is used.

    Returns:
        The pickled object. Strings of Python 2 are decoded as Latin-1, one character a byte; see `text` for names.
        NumPy scalars stay NumPy scalars, bytearrays become bytes; arrays may be read-only.

    Raises:
        UserError: it cannot be read, is damaged, or asks for anything else; one line with the file and the reason.
    """
    with reading_errors(path, 'no pickle', 'no pickle of StackGAN'), path.open('rb') as file:
        return _Machine(BoundedFile(file, os.fstat(file.fileno()).st_size)).load()


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
    """An unfinished dtype: a pickle gives its name first and its byte order later."""

    def __init__(self, name: Any) -> None:
        if not isinstance(name, str) or not _ELEMENT_TYPES.fullmatch(name):
            raise RefusedError(f'elements of type {name[:40] if isinstance(name, str) else type(name).__name__!r}')
        self.dtype = np.dtype(name)

    def set_state(self, state: Any) -> None:
        if any(part is not None for part in state[2:5]):
            raise RefusedError('elements that have parts')
        self.dtype = self.dtype.newbyteorder(state[1])


# The functions that a pickle may call. They replace NumPy's own, which allocate any size that a file asks for.


def _dtype(name: Any, _align: Any = None, _copy: Any = None) -> _ElementType:
    return _ElementType(name)


def _reconstruct(array_type: Any, shape: Any, _letter: Any) -> np.ndarray:
    if array_type is not np.ndarray or shape != (0,):
        raise RefusedError('an array without data')
    return np.ndarray(0, np.int8)


def _fill(array: Any, _version: Any, shape: Any, element: Any, is_fortran: Any, data: Any) -> None:
    """BUILD on an array of `_reconstruct`."""
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
        raise RefusedError('an encoding other than latin1')
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
    """The bytes of an array, after a check against its shape."""
    if not isinstance(element, _ElementType) or not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise ValueError('not an array')
    if any(type(size) is not int or size < 0 for size in shape):
        raise ValueError('not a shape')
    content = data.encode('latin1') if isinstance(data, str) else data
    if not isinstance(content, bytes) or math.prod(shape) * element.dtype.itemsize != len(content):
        raise RefusedError('an array of another size than its data')
    if not content and max(shape) > _MAX_EMPTY_DIMENSION:
        raise RefusedError('an empty array of absurd shape')
    return content


class _Machine(RestrictedUnpickler):
    allowed = _ALLOWED

    def build(self, target: Any, state: Any) -> None:
        if isinstance(target, _ElementType):
            target.set_state(state)
        elif isinstance(target, np.ndarray):
            _fill(target, *state)
            self.spend(target)
        else:
            super().build(target, state)
