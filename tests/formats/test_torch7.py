import math
import struct

import numpy as np
import pytest
from fuzzing import EXAMPLES, damaged, fuzz, read_or_refused
from refusals import refusal_of

from stackgan_tf.formats.torch7 import TorchObject, as_list, read_t7
from stackgan_tf.system.errors import UserError

VERSION = struct.pack('<i3s', 3, b'V 1')
NIL = struct.pack('<i', 0)


def ints(*values):
    return struct.pack(f'<{len(values)}i', *values)


def longs(*values):
    return struct.pack(f'<{len(values)}q', *values)


def number(value):
    return ints(1) + struct.pack('<d', value)


def characters(value):
    return ints(len(value)) + value


def string(value):
    return ints(2) + characters(value)


def table(index, *keys_and_values):
    return ints(3, index, len(keys_and_values) // 2) + b''.join(keys_and_values)


def torch_object(index, class_name, content, version=VERSION):
    return ints(4, index) + version + characters(class_name) + content


def storage(index, values, kind=b'Float'):
    return torch_object(index, b'torch.' + kind + b'Storage', longs(values.size) + values.tobytes())


def tensor(index, sizes, strides, offset, its_storage, kind=b'Float'):
    shape = ints(len(sizes)) + longs(*sizes, *strides, offset)
    return torch_object(index, b'torch.' + kind + b'Tensor', shape + its_storage)


def tensor_of(index, values, kind=b'Float'):
    strides = [stride // values.itemsize for stride in values.strides]
    return tensor(index, values.shape, strides, 1, storage(index + 1, values, kind), kind)


EMBEDDINGS = np.arange(20, dtype='f4').reshape(2, 10) / 7
CODES = np.arange(15, dtype='u1').reshape(5, 3)
# An image's file of Reed et al.: its name, its embeddings, its captions as codes of characters.
IMAGE = table(
    *(1, string(b'img'), string(b'002.Caf\xc3\xa9/1.jpg')),
    *(string(b'txt'), tensor_of(2, EMBEDDINGS), string(b'char'), tensor_of(4, CODES, b'Byte')),
)


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / 'some.t7'
        path.write_bytes(content)
        return read_t7(path)

    return read


@pytest.fixture
def refusal(tmp_path):
    return lambda content: refusal_of(read_t7, tmp_path / 'some.t7', content, 200_000 + 10 * len(content))


def test_an_image(read):
    image = read(IMAGE)
    assert list(image) == [b'img', b'txt', b'char']
    assert image[b'img'] == '002.Café/1.jpg'.encode()
    np.testing.assert_array_equal(image[b'txt'], EMBEDDINGS, strict=True)
    np.testing.assert_array_equal(image[b'char'], CODES, strict=True)


def test_plain_values(read):
    assert read(NIL) is None
    assert read(number(-2.5)) == -2.5
    assert read(string(b'')) == b''
    assert read(ints(5, 1)) is True
    assert read(ints(5, 0)) is False
    values = read(table(1, number(7), string(b'a'), number(2.5), NIL, ints(5, 1), table(2), number(math.inf), NIL))
    assert values == {7: b'a', 2.5: None, True: {}, math.inf: None}
    assert [type(key) for key in values] == [int, float, bool, float]


@pytest.mark.parametrize(
    ('kind', 'dtype'),
    [
        (b'Float', 'f4'), (b'Double', 'f8'), (b'Byte', 'u1'), (b'Char', 'i1'), (b'Short', 'i2'), (b'Int', 'i4'),
        (b'Long', 'i8'), (b'Half', 'f2'), (b'Cuda', 'f4'), (b'CudaDouble', 'f8'), (b'CudaLong', 'i8'),
    ],
)  # fmt: skip
def test_kinds_of_tensors(read, kind, dtype):
    values = np.arange(12).astype(dtype).reshape(1, 3, 4)
    np.testing.assert_array_equal(read(tensor_of(1, values, kind)), values, strict=True)
    np.testing.assert_array_equal(read(storage(1, values, kind)), values.ravel(), strict=True)


def test_tensors_are_views_of_their_storage(read):
    values = np.arange(24, dtype='f4')
    transposed = read(tensor(1, (3, 4), (1, 3), 13, storage(2, values)))
    np.testing.assert_array_equal(transposed, values[12:].reshape(4, 3).T)
    assert transposed.flags.c_contiguous
    assert transposed.flags.owndata
    np.testing.assert_array_equal(read(tensor(1, (2, 3), (0, 1), 2, storage(2, values))), [[1, 2, 3]] * 2)
    np.testing.assert_array_equal(read(tensor(1, (1, 2), (2**62, 23), 1, storage(2, values))), [[0, 23]])
    two = read(table(1, number(1), tensor_of(2, values), number(2), tensor(9, (2,), (1,), 23, ints(4, 3))))
    np.testing.assert_array_equal(two[2], [22, 23])


def test_empty_tensors(read):
    for nothing in (NIL, storage(2, np.zeros(0, 'f4'))):
        assert read(tensor(1, (), (), 1, nothing)).shape == (0,)


def test_repeated_objects_are_one_object(read):
    values = read(table(1, number(1), tensor_of(2, CODES, b'Byte'), number(2), ints(4, 2), number(3), ints(3, 1)))
    assert values[2] is values[1]
    assert values[3] is values


def test_objects_are_inert(read):
    fields = table(2, string(b'bias'), tensor_of(3, EMBEDDINGS), string(b'self'), ints(4, 1))
    for version in (VERSION, b''):  # the oldest files name none
        layer = read(torch_object(1, b'nn.Linear', fields, version))
        assert isinstance(layer, TorchObject)
        assert layer.class_name == 'nn.Linear'
        np.testing.assert_array_equal(layer.content[b'bias'], EMBEDDINGS)
        assert layer.content[b'self'] is layer
        with pytest.raises(AttributeError):
            layer.content = None
        assert repr(layer) == "TorchObject(class_name='nn.Linear')"


def test_as_list(read):
    assert as_list(read(table(1, number(2), string(b'b'), number(1), string(b'a')))) == [b'a', b'b']
    assert as_list({}) == []
    for other in ({1: 'a', 3: 'c'}, {0: 'a'}, {b'1': 'a'}, np.ones(3), None):
        with pytest.raises(ValueError, match='not a table with keys 1 to n'):
            as_list(other)


@pytest.mark.parametrize('tag', [6, 7, 8])
def test_functions_are_refused(refusal, tag):
    code = characters(b'\x1bLJ\x01')
    assert 'a function of Lua' in refusal(table(1, string(b'f'), ints(tag, 2) + code + NIL))


def test_sizes_that_lie(refusal):
    for count in (2**31 - 1, -1, 100):
        assert 'cut off or damaged' in refusal(ints(2, count) + b'abc')
        assert 'cut off or damaged' in refusal(ints(3, 1, count) + number(1) + NIL)
        assert 'cut off or damaged' in refusal(ints(4, 1, count) + b'V 1')
    for count in (2**62, 2**31, -1, 3):
        assert 'cut off or damaged' in refusal(torch_object(1, b'torch.FloatStorage', longs(count) + bytes(8)))
    for dimensions in (2**31 - 1, -1, 33):
        assert f'{dimensions} dimensions' in refusal(torch_object(1, b'torch.FloatTensor', ints(dimensions)))


@pytest.mark.parametrize(
    ('sizes', 'strides', 'offset', 'reason'),
    [
        ((7,), (1,), 1, 'larger than its storage'),
        ((2, 3), (3, 1), 2, 'larger than its storage'),
        ((2**40, 2**40), (1, 1), 1, 'larger than its storage'),
        ((2,), (2**62,), 1, 'larger than its storage'),
        ((1,), (1,), 7, 'larger than its storage'),
        ((1,), (1,), 2**63 - 1, 'larger than its storage'),
        ((1,), (1,), 0, 'impossible shape'),
        ((1,), (1,), -(2**63), 'impossible shape'),
        ((2,), (-1,), 6, 'impossible shape'),
        ((-1,), (1,), 1, 'impossible shape'),
        ((0, 2**60), (1, 1), 1, 'impossible shape'),
        ((2**40, 6), (0, 1), 1, 'absurdly large'),
        ((2**62,) * 32, (0,) * 32, 1, 'absurdly large'),
    ],
)
def test_shapes_that_lie(refusal, sizes, strides, offset, reason):
    assert reason in refusal(tensor(1, sizes, strides, offset, storage(2, np.zeros(6, 'f4'))))


def test_one_storage_is_not_copied_without_end(refusal):
    large = tensor_of(1, np.zeros(2**16, 'f4'))
    parts = [number(i) + tensor(i, (2**16 - i,), (1,), 1, ints(4, 2)) for i in range(5, 50)]
    assert 'absurdly large' in refusal(ints(3, 0, 1 + len(parts)) + number(1) + large + b''.join(parts))


def test_tensors_with_the_same_view_are_one_array(read):
    values = np.arange(2**10, dtype='f4')
    same = [number(i) + tensor(i + 4, (2**10,), (1,), 1, ints(4, 3)) for i in range(2, 60)]
    shared = read(ints(3, 0, 59) + number(1) + tensor_of(2, values) + b''.join(same))
    assert all(shared[i] is shared[1] for i in range(2, 60))


def test_tables_as_keys(read):
    node = table(2, string(b'name'), string(b'a'))
    read_back = read(table(1, number(1), node, ints(3, 2), number(1), table(3), number(2)))
    keys = [key for key in read_back if isinstance(key, TorchObject)]
    assert [read_back[key] for key in keys] == [1, 2]
    assert keys[0].content is read_back[1]


def test_tensors_need_their_own_kind_of_storage(refusal):
    other = storage(2, np.zeros(6), b'Double')
    square = tensor_of(2, np.zeros((2, 2), 'f4'))
    for wrong in (NIL, number(1), table(2), other, square, ints(4, 1)):
        assert 'without a storage' in refusal(tensor(1, (1,), (1,), 1, wrong))


def test_keys_that_cannot_be(refusal):
    for key, name in ((NIL, 'NoneType'), (tensor_of(2, CODES, b'Byte'), 'ndarray')):
        assert f'a key of type {name}' in refusal(table(1, key, number(1)))
    assert 'a key twice' in refusal(table(1, number(1), NIL, ints(5, 1), NIL))
    assert 'a key twice' in refusal(table(1, table(2), NIL, ints(3, 2), NIL))


def test_nesting_has_a_limit(read, refusal):
    def nested(depth):
        return b''.join(ints(3, i, 1) + number(1) for i in range(depth)) + NIL

    value = read(nested(9_000))
    while value is not None:
        value = value[1]
    layers = b''.join(torch_object(i, b'nn.Container', b'') for i in range(9_000)) + NIL
    assert isinstance(read(layers), TorchObject)
    with pytest.raises(UserError, match='nests objects more than 10,000 deep'):
        read(nested(11_000))


def test_cut_off_anywhere(read):
    for end in range(len(IMAGE)):
        with pytest.raises(UserError):
            read(IMAGE[:end])


def test_other_files_are_refused(tmp_path, refusal):
    for content in (b'4\n1\n3\nV 1\n', b'\xff\xd8\xff\xe0\x00\x10JFIF', b'\x80\x02]q\x01.', ints(-1), ints(9)):
        assert 'damaged or no binary .t7 file' in refusal(content)
    assert 'cut off' in refusal(b'')
    with pytest.raises(UserError, match=r'nowhere\.t7 cannot be read: No such file'):
        read_t7(tmp_path / 'nowhere.t7')
    with pytest.raises(UserError, match='cannot be read: Is a directory'):
        read_t7(tmp_path)


@EXAMPLES
def test_damaged_files(tmp_path, examples):
    layer = torch_object(1, b'nn.Linear', table(2, string(b'w'), tensor_of(3, EMBEDDINGS), string(b'self'), ints(4, 1)))
    fuzz(lambda content: read_or_refused(read_t7, tmp_path / 'a', content), damaged(IMAGE, layer), examples)
