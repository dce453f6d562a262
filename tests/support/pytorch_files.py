"""PyTorch's weights files, written opcode by opcode as `torch.save` does: in 2017 under Python 2, and today."""

import io
import struct
import zipfile

import numpy as np

STORAGES = {'f4': 'Float', 'f8': 'Double', 'f2': 'Half', 'i8': 'Long', 'i4': 'Int', 'u1': 'Byte', 'b1': 'Bool'}
MAGIC = b'\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.'
VERSION = b'\x80\x02M\xe9\x03.'
NONE = b'N'


def text(value):
    return b'X' + struct.pack('<I', len(value.encode())) + value.encode()


def number(value):
    return (
        b'J' + struct.pack('<i', value)
        if abs(value) < 2**31
        else b'\x8a\x09' + value.to_bytes(9, 'little', signed=True)
    )


def row(*items):
    return b'(' + b''.join(items) + b't'


def numbers(values):
    return row(*map(number, values))


def name(module, attribute):
    return f'c{module}\n{attribute}\n'.encode()


def kind_of(array):
    return STORAGES[array.dtype.str[1:]]


def storage(key, kind='Float', count=6, *view, module='torch', location='cpu'):
    """The persistent id of a storage; in the old format, a `view` follows."""
    return row(text('storage'), name(module, f'{kind}Storage'), text(key), text(location), number(count), *view) + b'Q'


def tensor(of_storage, sizes, strides, offset=0):
    """A tensor as versions up to 0.3 write it."""
    return (
        name('torch._utils', '_rebuild_tensor')
        + row(of_storage, number(offset), numbers(sizes), numbers(strides))
        + b'R'
    )


def tensor_today(of_storage, sizes, strides, offset=0):
    hooks = name('collections', 'OrderedDict') + b')R'
    parts = row(of_storage, number(offset), numbers(sizes), numbers(strides), b'\x89', hooks)
    return name('torch._utils', '_rebuild_tensor_v2') + parts + b'R'


def strides_of(array):
    return [stride // array.itemsize for stride in array.strides]


def pairs(items):
    """An OrderedDict as Python 2 pickled it."""
    listed = b''.join(b']' + text(key) + b'a' + value + b'a' + b'a' for key, value in items.items())
    return name('collections', 'OrderedDict') + b'(]' + listed + b'tR'


def ordered_dict(items):
    """An OrderedDict as Python 3 pickles it, with the layer versions that PyTorch adds."""
    listed = b''.join(text(key) + value for key, value in items.items())
    versions = b'}' + text('_metadata') + name('collections', 'OrderedDict') + b')R' + b's'
    return name('collections', 'OrderedDict') + b')R(' + listed + b'u' + versions + b'b'


def system(little_endian=True):
    return b'\x80\x02}' + text('little_endian') + (b'\x88' if little_endian else b'\x89') + b's.'


def old_format(content, storages, magic=MAGIC, version=VERSION, machine=None):
    """The old format, from the content of a pickle and the storages by key."""
    keys = b'](' + b''.join(map(text, storages)) + b'e'
    raw = b''.join(struct.pack('<q', array.size) + array.tobytes() for array in storages.values())
    return magic + version + (machine or system()) + b'\x80\x02' + content + b'.\x80\x02' + keys + b'.' + raw


def new_format(content, storages, root='archive', byteorder=b'little', compression=zipfile.ZIP_STORED):
    """The new format, from the same."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', compression) as archive:
        archive.writestr(f'{root}/data.pkl', b'\x80\x02' + content + b'.')
        archive.writestr(f'{root}/byteorder', byteorder)
        for key, array in storages.items():
            archive.writestr(f'{root}/data/{key}', array.tobytes())
        archive.writestr(f'{root}/version', b'3\n')
    return file.getvalue()


def saved_in_2017(arrays):
    """A state_dict from a GPU under Python 2; every array has its own storage."""
    tensors = {
        key: tensor(
            storage(key, kind_of(array), array.size, NONE, module='torch.cuda', location='cuda:0'),
            array.shape,
            strides_of(array),
        )
        for key, array in arrays.items()
    }
    return old_format(pairs(tensors), {key: np.ascontiguousarray(array) for key, array in arrays.items()})


def saved_today(arrays):
    """A state_dict as current versions write it."""
    keys = {key: str(i) for i, key in enumerate(arrays)}
    tensors = {
        key: tensor_today(storage(keys[key], kind_of(array), array.size), array.shape, strides_of(array))
        for key, array in arrays.items()
    }
    return new_format(ordered_dict(tensors), {keys[key]: np.ascontiguousarray(array) for key, array in arrays.items()})
