import io
import tarfile
import zipfile

import pytest
from fuzzing import EXAMPLES, damaged, fuzz, read_or_refused

from stackgan_tf.data.published import archives
from stackgan_tf.data.published.archives import _is_whole, count_and_bytes, members
from stackgan_tf.system.errors import UserError

FILES = {'small.txt': b'a bird', 'large.txt': bytes(100_000), 'last.txt': b'a sky'}


def zipped(path, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, 'w', compression) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)


def tarred(path, compression='gz'):
    with tarfile.open(path, f'w:{compression}') as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize('pack', [zipped, tarred])
def test_large_files_are_left_out_with_a_message(tmp_path, monkeypatch, capsys, pack):
    pack(tmp_path / 'archive')
    assert dict(members(tmp_path / 'archive', lambda name: True)) == FILES
    monkeypatch.setattr(archives, '_MOST', 50_000)
    assert set(dict(members(tmp_path / 'archive', lambda name: True))) == {'small.txt', 'last.txt'}
    assert 'large.txt is left out: it has' in capsys.readouterr().out


def test_encrypted_files_are_left_out_with_a_message(tmp_path, capsys):
    zipped(tmp_path / 'archive')
    content = bytearray((tmp_path / 'archive').read_bytes())
    first = content.index(b'PK\x01\x02')
    for flags in (6, first + 8):  # of the first file, in both of its headers
        content[flags] |= 1
    (tmp_path / 'archive').write_bytes(content)
    assert set(dict(members(tmp_path / 'archive', lambda name: True))) == {'large.txt', 'last.txt'}
    assert 'small.txt cannot be read and is left out' in capsys.readouterr().out


def everything(path):
    return dict(members(path, lambda name: True))


def sparse(header):
    """A tar file with a sparse member whose PAX header is `header`."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w', format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo('a.txt')
        member.pax_headers = header
        archive.addfile(member)
    return file.getvalue()


def nested_headers():
    """A tar file whose headers each describe the next one."""
    header = tarfile.TarInfo.create_pax_global_header({'comment': 'a'})
    return 2_000 * header


@pytest.mark.parametrize(
    'header',
    [
        {'GNU.sparse.map': 'one,two'},
        {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0'},
        {'GNU.sparse.size': 'large'},
    ],
)
def test_headers_that_lie(tmp_path, header):
    (tmp_path / 'a.tar').write_bytes(sparse(header))
    with pytest.raises(UserError, match=r'a\.tar cannot be read to its end .*fetch it again'):
        everything(tmp_path / 'a.tar')


def test_headers_without_end(tmp_path):
    (tmp_path / 'a.tar').write_bytes(nested_headers())
    with pytest.raises(UserError, match=r'a\.tar cannot be read to its end .*fetch it again'):
        everything(tmp_path / 'a.tar')
    assert not _is_whole(tmp_path / 'a.tar')


def test_damaged_compression(tmp_path, capsys):
    tarred(tmp_path / 'a.tar.xz', 'xz')
    content = bytearray((tmp_path / 'a.tar.xz').read_bytes())
    content[len(content) // 2] ^= 255
    (tmp_path / 'a.tar.xz').write_bytes(content)
    with pytest.raises(UserError, match='cannot be read to its end'):
        everything(tmp_path / 'a.tar.xz')
    assert not _is_whole(tmp_path / 'a.tar.xz')
    zipped(tmp_path / 'a.zip', zipfile.ZIP_LZMA)
    content = (tmp_path / 'a.zip').read_bytes()
    (tmp_path / 'a.zip').write_bytes(content.replace(content[content.index(b'small.txt') + 9 :][:9], 9 * b'\xff', 1))
    assert set(everything(tmp_path / 'a.zip')) == {'large.txt', 'last.txt'}
    assert 'small.txt cannot be read and is left out' in capsys.readouterr().out


def test_names_of_members_are_printed_on_one_line_without_control_characters(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(archives, '_MOST', 3)
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as archive:
        archive.writestr('red\x1b[31m\nbird.txt', b'a bird')
    assert everything(tmp_path / 'a.zip') == {}
    said = capsys.readouterr().out
    assert said.count('\n') == 1
    assert r"'red\x1b[31m\nbird.txt' is left out" in said


@EXAMPLES
def test_damaged_archives(tmp_path, examples):
    wholes = []
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        zipped(tmp_path / f'{compression}.zip', compression)
        wholes.append((tmp_path / f'{compression}.zip').read_bytes())
    for compression in ('', 'gz', 'bz2', 'xz'):
        tarred(tmp_path / f'a.{compression}', compression)
        wholes.append((tmp_path / f'a.{compression}').read_bytes())
    wholes += [sparse({'GNU.sparse.map': '0,1'}), sparse({'GNU.sparse.major': '1', 'GNU.sparse.minor': '0'})]

    def read(path):
        _is_whole(path)
        try:
            count_and_bytes(path)
        finally:
            everything(path)

    # LZMA reserves what a header claims for its dictionary, up to 4 GB, and uses what it decompresses.
    fuzz(lambda content: read_or_refused(read, tmp_path / 'a', content, 2**33), damaged(*wholes), examples)
