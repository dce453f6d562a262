import io
import tarfile
import zipfile

import pytest

from stackgan_tf.data.published import archives
from stackgan_tf.data.published.archives import members

FILES = {'small.txt': b'a bird', 'large.txt': bytes(100_000), 'last.txt': b'a sky'}


def zipped(path):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)


def tarred(path):
    with tarfile.open(path, 'w:gz') as archive:
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
