"""Models need TensorFlow and the defaults of Keras, whatever the user's other programs need."""

import json
import os
import subprocess
import sys

import keras
import pytest
from command_runs import command, run, run_process

import stackgan_tf
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.keras_settings import check_keras, prefer_tensorflow, set_keras

OTHER = {'floatx': 'float16', 'image_data_format': 'channels_first', 'backend': 'jax', 'epsilon': 1e-3}


@pytest.fixture
def restored():
    yield
    set_keras()


@pytest.mark.parametrize(('name', 'value'), [('floatx', 'float16'), ('image_data_format', 'channels_first')])
def test_other_settings_are_refused_and_can_be_set(restored, name, value):
    needed = getattr(keras.config, name)()
    getattr(keras.config, f'set_{name}')(value)
    with pytest.raises(
        UserError, match=rf"need Keras's {name} = '{needed}', it is '{value}': call keras\.config\.set_"
    ):
        check_keras()
    set_keras()
    check_keras()
    assert getattr(keras.config, name)() == needed


def test_another_backend_is_refused_once_keras_runs_on_it(monkeypatch):
    monkeypatch.setattr(keras.config, 'backend', lambda: 'jax')
    for use in (check_keras, set_keras):
        with pytest.raises(UserError, match=r'Keras runs on jax, .* set KERAS_BACKEND=tensorflow before Keras'):
            use()


def test_the_backend_is_selected_before_keras_is_imported_for_models_alone(monkeypatch):
    monkeypatch.setenv('KERAS_BACKEND', 'jax')
    prefer_tensorflow()  # Keras is imported: too late
    assert os.environ['KERAS_BACKEND'] == 'jax'
    loaded = sys.modules['keras']
    for name, backend in (('TreeGenerator', 'jax'), ('UserError', 'jax'), ('load', 'tensorflow')):
        monkeypatch.delitem(sys.modules, 'keras')
        getattr(stackgan_tf, name)
        assert os.environ['KERAS_BACKEND'] == backend
        monkeypatch.setitem(sys.modules, 'keras', loaded)


@pytest.fixture
def other_settings(tmp_path, monkeypatch):
    (tmp_path / 'keras.json').write_text(json.dumps(OTHER))
    monkeypatch.setenv('KERAS_HOME', str(tmp_path))
    monkeypatch.setenv('KERAS_BACKEND', 'torch')


def test_a_command_sets_them(tmp_path, other_settings):
    flags = ['--caption=a red bird', '--count=1', '--every_size']
    result = run_process(command('sample', *flags, '--output=here'), tmp_path)
    assert result.returncode == 0, result.stderr
    assert run(command('sample', *flags, '--output=there'), tmp_path).returncode == 0  # in this process
    here, there = (
        [path.read_bytes() for path in sorted((tmp_path / name).glob('*.png'))] for name in ('here', 'there')
    )
    assert here == there


def test_python_selects_the_backend_and_names_the_rest(other_settings, tmp_path):
    script = (
        'import stackgan_tf\ntry: stackgan_tf.from_preset\nexcept ValueError as error: print(error)\n'
        "import keras; print(keras.config.backend()); keras.config.set_floatx('float32')\n"
        "keras.config.set_image_data_format('channels_last'); stackgan_tf.from_preset('painted_birds')"
    )
    result = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert first.startswith("the models of stackgan_tf need Keras's floatx = 'float32', it is 'float16': call keras.")
    assert second == 'tensorflow'
