"""What an export is tried with, and what its verification refuses."""

import sys
import sysconfig

from stackgan_tf.saved_models import verification


def test_the_fresh_process_has_the_packages_of_this_one(monkeypatch, tmp_path):
    """Those of `pip install --user`, which a virtual environment hides, and of PYTHONPATH."""
    of_the_user = sysconfig.get_path('purelib', 'posix_user', {'userbase': str(tmp_path / 'user')})
    for folder, name in ((of_the_user, 'of_the_user'), ('path', 'of_the_path'), ('.', 'neighbor')):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / f'{name}.py').touch()
    script = 'import importlib.util, of_the_user, of_the_path\nassert importlib.util.find_spec("neighbor") is None'
    (tmp_path / 'script.py').write_text(script)
    monkeypatch.setattr(sys, 'executable', sys._base_executable)
    monkeypatch.setattr(verification, '_SCRIPT', tmp_path / 'script.py')
    monkeypatch.setenv('PYTHONUSERBASE', str(tmp_path / 'user'))
    monkeypatch.setenv('PYTHONPATH', str(tmp_path / 'path'))
    verification._run(tmp_path, tmp_path)
