import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from folder_source import source
from image_files import save

from stackgan_tf.data.embeddings import StoredEmbeddings
from stackgan_tf.data.image_folder import stored_embeddings
from stackgan_tf.system.errors import UserError


@pytest.fixture
def folder(tmp_path):
    for name in ('a/1.png', 'b/2.png'):
        save(tmp_path / 'set' / name)
    return tmp_path / 'set'


def test_stored_embeddings_of_a_folder(folder, capsys):
    np.savez(folder / 'embeddings.npz', **{'b/2.png': np.full(3, 7.0), 'a/1.png': np.arange(6.0).reshape(2, 3)})
    stored = source(folder).stored_embeddings()
    assert [rows.tolist() for rows in stored] == [[[0, 1, 2], [3, 4, 5]], [[7, 7, 7]]]
    assert StoredEmbeddings(source(folder)).dimension == 3
    output = capsys.readouterr().out
    assert 'passed over' not in output


def test_a_table_with_names(folder, capsys):
    table = np.arange(12.0).reshape(4, 3)
    np.save(folder / 'embeddings.npy', table)
    # In any order, with or without suffixes; a row of an image that is not there does not matter.
    (folder / 'embeddings.txt').write_text('b/2\na/1.png\nc/3\nb/2\n')
    stored = source(folder).stored_embeddings()
    assert [rows.tolist() for rows in stored] == [table[[1]].tolist(), table[[0, 3]].tolist()]
    assert stored[0].dtype == np.float32
    output = capsys.readouterr().out
    assert 'passed over' not in output
    assert 'embeddings.txt' not in output


def test_names_without_suffixes_are_for_one_image_each(folder):
    arrays = {'a/1': np.ones((2, 3)), 'b/2': np.ones(3)}
    np.savez(folder / 'embeddings.npz', **arrays)
    assert [rows.shape for rows in source(folder).stored_embeddings()] == [(2, 3), (1, 3)]
    save(folder / 'b/2.jpg')
    with pytest.raises(UserError, match=r'lacks 2 images: b/2\.jpg, b/2\.png'):
        source(folder).stored_embeddings()
    np.savez(folder / 'embeddings.npz', **arrays, **{'b/2.jpg': np.ones(3), 'b/2.png': np.ones((4, 3))})
    assert [len(rows) for rows in source(folder).stored_embeddings()] == [2, 1, 4]


@pytest.mark.parametrize(
    ('shape', 'names', 'reason'),
    [
        ((2, 3), None, r'embeddings\.npy needs embeddings\.txt: the image of each row'),
        ((3, 3), 'a/1\nb/2\n', r'has the shape \[3, 3\], embeddings\.txt 2 names'),
        ((2,), 'a/1\nb/2\n', r'has the shape \[2\], embeddings\.txt 2 names'),
        ((2, 3), 'a/1\n2\n', r'embeddings\.txt lacks 1 images: b/2\.png'),
    ],
)
def test_broken_tables_are_reported(folder, shape, names, reason):
    np.save(folder / 'embeddings.npy', np.ones(shape))
    if names is not None:
        (folder / 'embeddings.txt').write_text(names)
    with pytest.raises(UserError, match=reason):
        source(folder).stored_embeddings()


def test_an_archive_and_a_table_are_too_much(folder):
    np.save(folder / 'embeddings.npy', np.ones((2, 3)))
    np.savez(folder / 'embeddings.npz', **{'a/1': np.ones(3)})
    with pytest.raises(UserError, match=r'has embeddings\.npz and embeddings\.npy: remove one'):
        source(folder).stored_embeddings()


def test_a_caption_of_an_image_with_that_name_stays_one(tmp_path):
    save(tmp_path / 'set' / 'embeddings.png')
    (tmp_path / 'set' / 'embeddings.txt').write_text('a map of vectors')
    assert source(tmp_path / 'set').captions().texts.tolist() == [b'a map of vectors']


def test_broken_files_are_reported(folder):
    with pytest.raises(
        UserError, match=r'no stored embeddings \(embeddings.npz, or embeddings.npy .*\), which this recipe needs'
    ):
        source(folder).stored_embeddings()
    np.savez(folder / 'embeddings.npz', **{'a/1.png': np.ones(3)})
    with pytest.raises(UserError, match=r'lacks 1 images: b/2\.png'):
        source(folder).stored_embeddings()
    for content in (b'not an archive', b''):
        (folder / 'embeddings.npz').write_bytes(content)
        with pytest.raises(UserError, match=r'embeddings\.npz cannot be read'):
            source(folder).stored_embeddings()
    np.savez(folder / 'embeddings.npz', **{name: np.array([{}], object) for name in ('a/1.png', 'b/2.png')})
    with pytest.raises(UserError, match=r'embeddings\.npz cannot be read: elements of type object'):
        source(folder).stored_embeddings()


def test_archives_that_claim_or_unpack_to_too_much(folder, monkeypatch):
    def refusal(name, content):
        with zipfile.ZipFile(folder / 'embeddings.npz', 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('b/2.png.npy', saved(np.ones(3)))
            archive.writestr(name, content)
        tracemalloc.start()
        with pytest.raises(UserError) as raised:
            source(folder).stored_embeddings()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4_000_000
        return str(raised.value)

    def saved(array):
        file = io.BytesIO()
        np.save(file, array)
        return file.getvalue()

    absurd = saved(np.ones((2, 3))).replace(b'(2, 3), }' + b' ' * 20, b'(2, 3' + b'0' * 20 + b'), }')
    assert 'an array of another size than its data' in refusal('a/1.png.npy', absurd)
    assert 'not numbers' in refusal('a/1.png.npy', saved(np.array(['a'])))
    assert 'cannot be read' in refusal('a/1.png.npy', b'')
    monkeypatch.setattr(stored_embeddings, '_MOST', 1 << 20)
    assert 'a/1.png.npy has more than 1 MB' in refusal('a/1.png.npy', saved(np.zeros((1000, 1000))))
