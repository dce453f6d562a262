import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from fuzzing import EXAMPLES, damaged, fuzz, read_or_refused
from hypothesis import strategies as st
from refusals import refusal_of

from stackgan_tf.formats.pickles import read_pickle, text
from stackgan_tf.system.errors import UserError

# Pickles that Python 2.7.18 with NumPy 1.16.6 wrote, protocols 0 to 2 (cPickle): a name with an accent in UTF-8 and one
# in Unicode; class labels; two arrays, one of float32 and one of uint8.
NAMES = (
    b"(lp1\nS'001.A/Caf\\xc3\\xa9'\np2\naV\xe9\na.",
    b']q\x01(U\x0b001.A/Caf\xc3\xa9q\x02X\x02\x00\x00\x00\xc3\xa9e.',
    b'\x80\x02]q\x01(U\x0b001.A/Caf\xc3\xa9q\x02X\x02\x00\x00\x00\xc3\xa9e.',
)
LABELS = (
    b"(lp1\ncnumpy.core.multiarray\nscalar\np2\n(cnumpy\ndtype\np3\n(S'i8'\nI0\nI1\ntRp4\n(I3\nS'<'\nNNNI-1\nI-1\nI0\n"
    b"tbS'\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\ntRp5\nag2\n(g4\nS'\\xc8\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\ntRp6\n"
    b'aI3\naL4L\na.',
    b']q\x01(cnumpy.core.multiarray\nscalar\nq\x02(cnumpy\ndtype\nq\x03(U\x02i8K\x00K\x01tRq\x04(K\x03U\x01<NNN'
    b'J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbU\x08\x01\x00\x00\x00\x00\x00\x00\x00tRq\x05h\x02(h\x04'
    b'U\x08\xc8\x00\x00\x00\x00\x00\x00\x00tRq\x06K\x03L4L\ne.',
    b'\x80\x02]q\x01(cnumpy.core.multiarray\nscalar\nq\x02cnumpy\ndtype\nq\x03U\x02i8K\x00K\x01\x87Rq\x04(K\x03U\x01<NNN'
    b'J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbU\x08\x01\x00\x00\x00\x00\x00\x00\x00\x86Rq\x05h\x02h\x04'
    b'U\x08\xc8\x00\x00\x00\x00\x00\x00\x00\x86Rq\x06K\x03\x8a\x01\x04e.',
)
ARRAYS = (
    b"(lp1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntS'b'\ntRp4\n(I1\n(I2\nI2\ntcnumpy\n"
    b"dtype\np5\n(S'f4'\nI0\nI1\ntRp6\n(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
    b"S'\\x00\\x00\\x00\\x00\\xab\\xaa\\xaa>\\xab\\xaa*?\\x00\\x00\\x80?'\ntbag2\n(g3\n(I0\ntS'b'\ntRp7\n(I1\n(I3\ntg5\n"
    b"(S'u1'\nI0\nI1\ntRp8\n(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\xfa\\xfb\\xfc'\ntba.",
    b']q\x01(cnumpy.core.multiarray\n_reconstruct\nq\x02(cnumpy\nndarray\nq\x03(K\x00tU\x01btRq\x04(K\x01(K\x02K\x02t'
    b'cnumpy\ndtype\nq\x05(U\x02f4K\x00K\x01tRq\x06(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbI00\n'
    b'U\x10\x00\x00\x00\x00\xab\xaa\xaa>\xab\xaa*?\x00\x00\x80?tbh\x02(h\x03(K\x00tU\x01btRq\x07(K\x01(K\x03th\x05'
    b'(U\x02u1K\x00K\x01tRq\x08(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbI00\nU\x03\xfa\xfb\xfctbe.',
    b'\x80\x02]q\x01(cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87Rq\x04(K\x01'
    b'K\x02K\x02\x86cnumpy\ndtype\nq\x05U\x02f4K\x00K\x01\x87Rq\x06(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00'
    b'tb\x89U\x10\x00\x00\x00\x00\xab\xaa\xaa>\xab\xaa*?\x00\x00\x80?tbh\x02h\x03K\x00\x85U\x01b\x87Rq\x07(K\x01K\x03\x85'
    b'h\x05U\x02u1K\x00K\x01\x87Rq\x08(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x03\xfa\xfb\xfctbe.',
)

# Parts of malicious pickles: each leaves one object on the stack.
FLOAT32 = b'cnumpy\ndtype\n(U\x02f4K\x00K\x01tR'
FLAT = b'cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR'


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / 'some.pickle'
        path.write_bytes(content)
        return read_pickle(path)

    return read


@pytest.fixture
def refusal(tmp_path):
    return lambda content: refusal_of(read_pickle, tmp_path / 'some.pickle', content, 500_000 + 5 * len(content))


@pytest.mark.parametrize('protocol', [0, 1, 2])
def test_pickles_of_python_2(read, protocol):
    assert [text(name) for name in read(NAMES[protocol])] == ['001.A/Café', 'é']
    assert read(LABELS[protocol]) == [1, 200, 3, 4]
    embedding, pixels = read(ARRAYS[protocol])
    np.testing.assert_array_equal(embedding, np.float32([[0, 1 / 3], [2 / 3, 1]]), strict=True)
    np.testing.assert_array_equal(pixels, np.uint8([250, 251, 252]), strict=True)


@pytest.mark.parametrize('protocol', range(6))
def test_pickles_of_this_python(read, protocol):
    plain = [
        ['a', 'é', '🐦', b'', b'\xff', ''],
        {'captions': [[1, 2], [3]], 4: (5, (6, 7), (8, 9, 10), (11, 12, 13, 14), ()), None: {}},
        [0, -1, 255, 65536, 2**40, -(2**70), 0.5, float('inf'), True, False, None],
        [np.int64(7), np.uint8(200), np.float32(0.5), np.bool_(True)],
    ]
    assert read(pickle.dumps(plain, protocol)) == plain
    box = np.arange(24.0).reshape(2, 3, 4)
    arrays = [box, box.T, box.transpose(1, 0, 2), box[:, ::2], box.astype('f2'), box > 3, np.array(5), np.zeros((3, 0))]
    for array, same in zip(arrays, read(pickle.dumps(arrays, protocol)), strict=True):
        np.testing.assert_array_equal(array, same, strict=True)
    np.testing.assert_array_equal(read(pickle.dumps(box.astype('>f4'), protocol)), box)


def test_names_of_numpy_1_and_2(read):
    for package in (b'numpy.core.', b'numpy._core.'):
        assert read(LABELS[2].replace(b'numpy.core.', package)) == [1, 200, 3, 4]


def test_repeated_objects_are_one_object(read):
    name = 'one name'
    loop = [name, name]
    loop.append(loop)
    same = read(pickle.dumps(loop, 2))
    assert same[0] is same[1]
    assert same[2] is same


def test_bytearrays_become_bytes(read):
    assert read(pickle.dumps([bytearray(b'ab'), 1], 5)) == [b'ab', 1]


def test_text():
    assert text('Caf\xc3\xa9') == text('Café'.encode()) == 'Café'
    assert text('Café') == text(b'Caf\xe9') == 'Café'  # not UTF-8: unchanged
    assert text('🐦') == '🐦'


class Calls:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_nothing_runs(tmp_path, refusal):
    marker = tmp_path / 'marker'
    command = f'touch {marker}'
    python = f'open({str(marker)!r}, "w")'
    for protocol in range(6):
        assert 'posix.system' in refusal(pickle.dumps([Calls(os.system, command)], protocol))
        assert '.eval' in refusal(pickle.dumps([Calls(eval, python)], protocol))
        nested = Calls(getattr, Calls(__import__, 'os'), 'system')
        assert '.getattr' in refusal(pickle.dumps(nested, protocol))
        assert '.fromfile' in refusal(pickle.dumps([Calls(np.fromfile, str(marker))], protocol))
    assert "an object of 'os.system'" in refusal(f'(S{command!r}\nios\nsystem\n.'.encode())
    assert 'os.system' in refusal(f'(cos\nsystem\nS{command!r}\no.'.encode())
    assert not marker.exists()


@pytest.mark.parametrize(
    ('content', 'what'),
    [
        (b'ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.', 'copy_reg._reconstructor'),
        (b'cnumpy\nndarray.tofile\n.', 'numpy.ndarray.tofile'),
        (b'cnumpy\nload\n.', 'numpy.load'),
        (b'cnumpy.core.multiarray\nfromfile\n.', 'numpy.core.multiarray.fromfile'),
        (b'c' + b'm' * 10_000 + b'\nn\n.', "'" + 'm' * 80 + "'"),
        (b'\x80\x04\x8c\x03o\ns\x8c\x06system\x93.', r"'o\\ns.system'"),
        (b'cnumpy\nndarray\n(K\x02tR.', 'a call of type type'),
        (b'cnumpy\nndarray\n(K\x02t\x81.', 'NEWOBJ'),
        (b'cnumpy\nndarray\n}b.', 'a state of type type'),
        (b'Pname\n.', 'PERSID'),
        (b'K\x01Q.', 'BINPERSID'),
        (b'\x82\x01.', 'EXT1'),
        (b'\x80\x05\x97.', 'NEXT_BUFFER'),
        (b'\x8f(K\x01\x90.', 'EMPTY_SET'),
        (b'c_codecs\nencode\n(VYQ==\nVbase64\ntR.', 'an encoding other than latin1'),
        (b'c_codecs\nencode\n(VYQ==\ntR.', 'no pickle'),
        (b'}((K\x01tK\x02u.', 'a key of type tuple'),
    ],
)
def test_anything_else_is_refused(refusal, content, what):
    assert what.replace('\\\\', '\\') in refusal(content)


def test_only_arrays_of_numbers(refusal):
    assert "'O8'" in refusal(pickle.dumps(np.array([{}], object), 2))
    assert "'V5'" in refusal(pickle.dumps(np.zeros(2, [('a', 'f4'), ('b', 'u1')]), 2))
    assert "'U3'" in refusal(pickle.dumps(np.array(['abc']), 5))
    pair = (3, '<', ('a', 'b'), None, None, -1, -1, 0)
    assert 'have parts' in refusal(FLOAT32 + pickle.dumps(pair, 0)[:-1] + b'b.')
    assert "'ndarray'" in refusal(b'cnumpy\ndtype\n(' + FLAT + b'tR.')


def array_of(shape, data):
    return FLAT + b'(K\x01' + pickle.dumps(shape, 0)[:-1] + FLOAT32 + b'I00\n' + pickle.dumps(data, 3)[2:-1] + b'tb.'


def test_shapes_that_lie(read, refusal):
    assert read(array_of((2, 1), bytes(8))).shape == (2, 1)
    for shape in [(2**40,), (2**40, 2**40), (3,), (1,), (-2, -1), (2.0, 1), (True, 2), [2], (1,) * 40, 2]:
        assert 'an array' in (message := refusal(array_of(shape, bytes(8)))) or 'no pickle' in message
    assert 'absurd shape' in refusal(array_of((2**40, 0), b''))
    assert 'another size' in refusal(
        b'cnumpy._core.numeric\n_frombuffer\n(C\x04abcd' + FLOAT32 + b'(J\xff\xff\xff\x7ftU\x01CtR.'
    )
    assert 'another size' in refusal(b'cnumpy.core.multiarray\nscalar\n(' + FLOAT32 + b'U\x03abctR.')
    assert 'without data' in refusal(FLAT.replace(b'(K\x00t', b'(J\xff\xff\xff\x7ft') + b'.')


def test_one_string_is_not_copied_without_end(refusal):
    megabyte = b'V' + b'x' * 2**20 + b'\np0\n0c_codecs\nencode\np1\n0Vlatin1\np2\n0('
    assert 'more copies' in refusal(megabyte + b'g1\n(g0\ng2\ntR' * 1000 + b'l.')


@pytest.mark.parametrize(
    'content',
    [
        b'B\xff\xff\xff\x7f',  # BINBYTES
        b'\x80\x04\x8e' + struct.pack('<Q', 2**45),  # BINBYTES8
        b'\x80\x05\x96' + struct.pack('<Q', 2**45),  # BYTEARRAY8
        b'\x80\x04\x8d' + struct.pack('<Q', 2**45),  # BINUNICODE8
        b'\x80\x04\x8d' + struct.pack('<Q', 2**64 - 1),
        b'X\xff\xff\xff\x7f',  # BINUNICODE
        b'T\xff\xff\xff\x7f',  # BINSTRING
        b'T\xff\xff\xff\xff',
        b'\x80\x04\x95' + struct.pack('<Q', 2**45),  # FRAME
        b'\x8b\xff\xff\xff\x7f',  # LONG4
        b'I' + b'9' * 100_000 + b'\n',
    ],
)
def test_lengths_that_lie(refusal, content):
    refusal(content + b'abc.')


def test_a_memo_of_huge_index_takes_no_memory(read):
    tracemalloc.start()
    assert read(b'K\x01r\xff\xff\xff\xff0j\xff\xff\xff\xff.') == 1
    assert tracemalloc.get_traced_memory()[1] < 500_000
    tracemalloc.stop()


def test_cut_off_anywhere(read):
    for whole in (NAMES[0], LABELS[2], ARRAYS[1], pickle.dumps([np.ones(2), 'name'], 5)):
        for end in range(len(whole)):
            with pytest.raises(UserError):
                read(whole[:end])


def test_other_files_are_refused(tmp_path, refusal):
    for content in (
        b'',
        b'\xff\xd8\xff\xe0\x00\x10JFIF',
        b'version https://git-lfs.github.com/spec/v1\n',
        b'\x80\x09.',
        b'.',
        b'(((((',
    ):
        assert refusal(content).endswith('cut off, damaged or no pickle')
    with pytest.raises(UserError, match=r'nowhere\.pickle cannot be read: No such file'):
        read_pickle(tmp_path / 'nowhere.pickle')
    with pytest.raises(UserError, match='cannot be read: Is a directory'):
        read_pickle(tmp_path)


def test_deep_nesting(read):
    nested = read(b']' * 50_000 + b'a' * 49_999 + b'.')
    while nested:
        (nested,) = nested
    with pytest.raises(UserError, match='a key of type tuple'):  # hashing it would exhaust the stack
        read(b'})' + b'\x85' * 50_000 + b'K\x01s.')


@EXAMPLES
def test_damaged_pickles(tmp_path, examples):
    wholes = [*NAMES, *LABELS, *ARRAYS, *(pickle.dumps({'a': [np.ones((2, 3)), b'x']}, n) for n in range(6))]
    fuzz(lambda content: read_or_refused(read_pickle, tmp_path / 'a', content), damaged(*wholes), examples)


def opcodes():
    """Allowed and forbidden opcodes in any order."""
    calls = [f'c{name}\n'.encode() for name in ('posix\nsystem', 'builtins\neval', 'numpy\nndarray', '_codecs\nencode')]
    names = [b'\x8c\x05posix\x8c\x06system\x93', b'\x8c\x05numpy\x8c\x05dtype\x93', b'iposix\nsystem\n']
    numbers = [b'K\x07', b'J\xff\xff\xff\xff', b'N', b'\x88']
    values = [*numbers, b'\x8c\x02f4', b'C\x04abcd', b'VrmX\n', b'U\x01<', b']', b')', b'}']
    acts = [*(bytes([code]) for code in b'(tldRbaesu021o\x94\x81'), b'q\x00', b'h\x00']
    whole = [FLOAT32, FLAT, array_of((2, 1), bytes(8))]
    return st.lists(st.sampled_from([*calls, *names, *values, *acts, *whole]), max_size=30).map(
        lambda parts: b''.join(parts) + b'.'
    )


@EXAMPLES
def test_opcodes_in_any_order(tmp_path, examples, monkeypatch):
    monkeypatch.setattr(os, 'system', lambda *command: pytest.fail('it ran a command'))
    fuzz(lambda content: read_or_refused(read_pickle, tmp_path / 'a', content), opcodes(), examples)
