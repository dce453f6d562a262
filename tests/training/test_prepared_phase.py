import pytest
from image_files import save

from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.prepared_phase import resumed_progress


def folder(root, *names):
    for name in names:
        save(root / name)
    return ImageFolder(str(root), (8, 16), test_fraction=0.0)


def test_a_run_resumes_on_the_same_images_at_another_place(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))
    source = folder(tmp_path / 'one', 'a.png', 'sub/b.png')
    progress = resumed_progress(None, source, None)
    moved = folder(tmp_path / 'two', 'a.png', 'sub/b.png')
    assert resumed_progress(progress, moved, None, moved=True) == {**progress, 'data': 'two'}
    other = folder(tmp_path / 'three', 'a.png', 'b.png')
    with pytest.raises(UserError, match=r'three has other images than this run was trained on, .*: name their folder'):
        resumed_progress(progress, other, None, moved=True)
    more = folder(tmp_path / 'one', 'c.png')
    assert resumed_progress(progress, more, None, moved=False)['images'] == 3  # at the same place, they may change
    assert 'This run had 2 images until now' in capsys.readouterr().out
    older = {name: value for name, value in progress.items() if name != 'listing'}
    assert resumed_progress(older, other, None, moved=True)['images'] == 2
