import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from fuzzing import EXAMPLES, damaged, fuzz, read_or_refused
from pytorch_files import (
    MAGIC,
    NONE,
    name,
    new_format,
    number,
    numbers,
    old_format,
    ordered_dict,
    pairs,
    row,
    saved_in_2017,
    saved_today,
    storage,
    system,
    tensor,
    tensor_today,
    text,
)
from refusals import refusal_of

from stackgan_tf.formats.pytorch import read_state_dict
from stackgan_tf.system.errors import UserError

ARRAYS = {
    'module.fc.weight': np.arange(6, dtype='f4').reshape(2, 3) / 7,
    'module.fc.bias': np.float32([1, 2]),
    'module.bn.num_batches_tracked': np.array(7),
    'half': np.float16([0.5, 1]),
    'double': np.float64([[0.1]]),
    'bytes': np.uint8([250, 3]),
    'flags': np.array([True, False]),
}
SIX = {'0': np.arange(6, dtype='f4')}


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / 'some.pth'
        path.write_bytes(content)
        return read_state_dict(path)

    return read


@pytest.fixture
def refusal(tmp_path):
    return lambda content: refusal_of(read_state_dict, tmp_path / 'some.pth', content, 500_000 + 10 * len(content))


@pytest.mark.parametrize('saved', [saved_in_2017, saved_today])
def test_weights_by_name(read, saved):
    found = read(saved(ARRAYS))
    assert list(found) == list(ARRAYS)
    for key, array in ARRAYS.items():
        np.testing.assert_array_equal(found[key], array, strict=True)
        assert not found[key].flags.writeable


def old_storage(key, kind='Float', count=6):
    return storage(key, kind, count, NONE)


def both(items, storages=SIX):
    """The same tensors in both formats, by functions that take the format's ways to name storages and tensors."""
    old = {key: make(old_storage, tensor) for key, make in items.items()}
    new = {key: make(storage, tensor_today) for key, make in items.items()}
    return old_format(pairs(old), storages), new_format(ordered_dict(new), storages)


def test_tensors_are_views_of_their_storage(read):
    values = {'0': np.arange(24, dtype='f4')}
    views = {
        'transposed': lambda storage, tensor: tensor(storage('0', 'Float', 24), (3, 4), (1, 3), 12),
        'repeated': lambda storage, tensor: tensor(storage('0', 'Float', 24), (2, 3), (0, 1), 1),
        'one': lambda storage, tensor: tensor(storage('0', 'Float', 24), (), (), 5),
        'unused stride': lambda storage, tensor: tensor(storage('0', 'Float', 24), (1, 2), (2**40, 23)),
    }
    for content in both(views, values):
        found = read(content)
        np.testing.assert_array_equal(found['transposed'], np.arange(12, 24).reshape(4, 3).T)
        np.testing.assert_array_equal(found['repeated'], [[1, 2, 3]] * 2)
        np.testing.assert_array_equal(found['one'], 5)
        np.testing.assert_array_equal(found['unused stride'], [[0, 23]])


def test_storages_that_are_parts_of_others(read):
    view = row(text('a part'), number(2), number(3))
    content = pairs({'w': tensor(storage('0', 'Float', 6, view), (2,), (1,), 1)})
    np.testing.assert_array_equal(read(old_format(content, SIX))['w'], [3, 4])


def test_parameters_and_sizes(read):
    parameter = name('torch._utils', '_rebuild_parameter') + row(tensor(storage('0'), (6,), (1,)), b'\x88') + b'R'
    size = name('torch', 'Size') + row(numbers((2, 3))) + b'R'
    early = name('torch._utils', '_rebuild_tensor') + row(storage('0'), number(0), size, numbers((3, 1))) + b'R'
    found = read(new_format(ordered_dict({'p': parameter, 'e': early}), SIX))
    np.testing.assert_array_equal(found['p'], SIX['0'])
    assert found['e'].shape == (2, 3)


class Calls:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_nothing_runs(tmp_path, refusal):
    marker = tmp_path / 'marker'
    pickled = pickle.dumps({'w': Calls(os.system, f'touch {marker}')}, 2)[2:-1]
    for content in (old_format(pickled, {}), new_format(pickled, {}), pickle.dumps(Calls(os.system, 'true'), 2)):
        assert "it asks for 'posix.system', which no file of weights needs" in refusal(content)
    assert not marker.exists()
    whole = name('torch.nn.modules.linear', 'Linear') + b')\x81.'
    assert 'torch.nn.modules.linear.Linear' in refusal(new_format(whole, {}))
    reader = name('torch', 'load') + row(text('/etc/passwd')) + b'R'
    assert 'torch.load' in refusal(new_format(reader, {}))
    assert 'a call of type' in refusal(new_format(name('torch', 'FloatStorage') + row(number(2**40)) + b'R', {}))
    assert 'BFloat16Storage' in refusal(new_format(ordered_dict({'w': storage('0', 'BFloat16')}), {}))
    module = row(text('module'), name('__main__', 'G_NET'), text('code'), text('code')) + b'Q'
    assert '__main__.G_NET' in refusal(old_format(module, {}))


@pytest.mark.parametrize(
    ('sizes', 'strides', 'offset', 'reason'),
    [
        ((7,), (1,), 0, 'larger than its storage'),
        ((2, 3), (3, 1), 1, 'larger than its storage'),
        ((2**40, 2**40), (1, 1), 0, 'larger than its storage'),
        ((1,), (1,), 6, 'larger than its storage'),
        ((2,), (-1,), 5, 'impossible shape'),
        ((1,), (1,), -1, 'impossible shape'),
        ((0, 2**60), (1, 1), 0, 'impossible shape'),
        ((2**40, 6), (0, 1), 0, 'absurdly large'),
        ((2**60,) * 32, (0,) * 32, 0, 'absurdly large'),
        ((1,) * 33, (1,) * 33, 0, 'damaged'),
        ((2, 3), (1,), 0, 'damaged'),
    ],
)
def test_shapes_that_lie(refusal, sizes, strides, offset, reason):
    for content in both({'w': lambda storage, tensor: tensor(storage('0'), sizes, strides, offset)}):
        assert reason in refusal(content)


def test_views_of_one_storage_are_limited(refusal):
    large = {'0': np.zeros(2**14, 'f4')}
    views = {str(i): lambda storage, tensor: tensor(storage('0', 'Float', 2**14), (2**14,), (1,)) for i in range(30)}
    for content in both(views, large):
        assert 'absurdly large' in refusal(content)


def called(module, attribute, argument, times):
    """A list of the results of many calls with one argument, which the file holds once."""
    once = name(module, attribute) + b'q\x00' + argument + b'q\x01' + b'00'
    return once + b'](' + times * b'h\x00h\x01\x85R' + b'e'


def rows(*items):
    """A list."""
    return b'](' + b''.join(items) + b'e'


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (called('torch', 'Size', rows(*20_000 * [number(1)]), 5_000), 'damaged'),
        (called('torch', 'Size', rows(*32 * [number(1)]), 5_000), 'more copies of its data'),
        (
            called('collections', 'OrderedDict', rows(*(row(text(str(n)), NONE) for n in range(2_000))), 5_000),
            'more copies of its data',
        ),
        (called('collections', 'OrderedDict', rows(*20_000 * [row(text('a'), NONE)]), 5_000), 'damaged'),
        (called('collections', 'OrderedDict', rows(*20_000 * [numbers(range(4))]), 5_000), 'damaged'),
    ],
)
def test_containers_are_paid_for(refusal, content, reason):
    for make in (old_format, new_format):
        assert reason in refusal(make(content, {}))


def test_shapes_that_would_be_copied(refusal):
    part = row(storage('0'), number(0), rows(number(6)), rows(number(1)))
    assert 'damaged' in refusal(new_format(name('torch._utils', '_rebuild_tensor') + part + b'R', SIX))
    long = row(text('storage'), name('torch', 'FloatStorage'), *6 * [number(1)]) + b'Q'
    assert 'damaged' in refusal(new_format(long, SIX))


def test_storages_that_lie(refusal):
    for count in (7, 5, 0, -6, 2**40):
        for content in both(
            {'w': lambda storage, tensor, count=count: tensor(storage('0', 'Float', count), (1,), (1,))}
        ):
            assert 'cut off, damaged or no PyTorch checkpoint' in refusal(content)
    other = ordered_dict(
        {'a': tensor_today(storage('0'), (1,), (1,)), 'b': tensor_today(storage('0', 'Int'), (1,), (1,))}
    )
    assert 'damaged' in refusal(new_format(other, SIX))
    assert 'damaged' in refusal(new_format(ordered_dict({'w': tensor_today(storage('1'), (1,), (1,))}), SIX))
    missing = pairs({'w': tensor(old_storage('1'), (1,), (1,))})
    for storages in (SIX, {}, {'1': SIX['0'], '2': SIX['0']}):
        assert 'damaged' in refusal(old_format(missing, storages))
    for view in ((4, 3), (-1, 2), (2**40, 1)):
        part = storage('0', 'Float', 6, row(text('part'), *map(number, view)))
        assert 'damaged' in refusal(old_format(pairs({'w': tensor(part, (1,), (1,))}), SIX))


def test_content_other_than_weights_by_name_is_refused(refusal):
    whole = tensor_today(storage('0'), (6,), (1,))
    assert "'epoch' of type int" in refusal(new_format(ordered_dict({'w': whole, 'epoch': number(3)}), SIX))
    assert 'holds a list' in refusal(new_format(b']' + whole + b'a', SIX))
    assert 'holds a _Tensor' in refusal(old_format(tensor(old_storage('0'), (6,), (1,)), SIX))
    assert 'a key of type _Tensor' in refusal(new_format(b'}' + whole + NONE + b's', SIX))


def test_other_machines_and_archives(refusal):
    content = ordered_dict({'w': tensor_today(storage('0'), (6,), (1,))})
    assert 'big-endian' in refusal(new_format(content, SIX, byteorder=b'big'))
    assert 'big-endian' in refusal(old_format(pairs({}), {}, machine=system(little_endian=False)))
    assert 'compressed entries' in refusal(new_format(content, SIX, compression=zipfile.ZIP_DEFLATED))
    assert 'damaged' in refusal(old_format(pairs({}), {}, magic=b'\x80\x02K\x01.'))
    assert 'damaged' in refusal(old_format(pairs({}), {}, version=b'\x80\x02K\x01.'))
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('a/data.pkl', b'')
        archive.writestr('b/data.pkl', b'')
    assert 'damaged' in refusal(file.getvalue())


def test_entries_that_claim_to_be_large(refusal):
    whole = new_format(ordered_dict({'w': tensor_today(storage('0'), (6,), (1,))}), SIX)
    size = len(b'little').to_bytes(4, 'little') * 2  # compressed and not, in both of an entry's headers
    assert whole.count(size) == 2
    assert 'damaged' in refusal(whole.replace(size, (2**31).to_bytes(4, 'little') * 2))


def test_cut_off_anywhere(read):
    for whole in both({'w': lambda storage, tensor: tensor(storage('0'), (2, 3), (3, 1))}):
        for end in range(len(whole)):
            with pytest.raises(UserError):
                read(whole[:end])


def test_other_files_are_refused(tmp_path, refusal):
    for content in (b'', MAGIC, b'\xff\xd8\xff\xe0\x00\x10JFIF', b'PK\x03\x04', pickle.dumps({}, 2)):
        assert refusal(content).endswith('cut off, damaged or no PyTorch checkpoint')
    with pytest.raises(UserError, match=r'nowhere\.pth cannot be read: No such file'):
        read_state_dict(tmp_path / 'nowhere.pth')


def test_files_that_pytorch_writes(tmp_path):
    torch = pytest.importorskip('torch')
    saved = {key: torch.from_numpy(array) for key, array in ARRAYS.items()}
    saved['view'] = torch.arange(24.0).reshape(2, 3, 4).transpose(0, 2)
    saved['parameter'] = torch.nn.Parameter(torch.ones(2, 1))
    for new in (False, True):
        torch.save(saved, tmp_path / 'some.pth', _use_new_zipfile_serialization=new)
        found = read_state_dict(tmp_path / 'some.pth')
        for key, value in saved.items():
            np.testing.assert_array_equal(found[key], value.detach().numpy(), strict=True)


@EXAMPLES
def test_damaged_files(tmp_path, examples):
    wholes = (saved_in_2017(ARRAYS), saved_today(ARRAYS))
    fuzz(lambda content: read_or_refused(read_state_dict, tmp_path / 'a', content), damaged(*wholes), examples)
