"""The export as TensorFlow Serving loads it: by tag and signature, through TensorFlow's C API."""

import os
import subprocess
import sys
from pathlib import Path

import tensorflow as tf
from tiny_text_model import text_generator

from stackgan_tf.saved_models.saved_model import export_saved_model


def test_the_same_png_through_the_c_api(tmp_path):
    generator = text_generator()
    export_saved_model(generator.network, tmp_path / 'export', generator.encoder)
    script = Path(__file__).with_name('c_api_process.py')
    command = [sys.executable, str(script), str(tmp_path / 'export'), 'a red bird \N{BIRD}', '7']
    result = subprocess.run(
        command, env={**os.environ, 'PYTHONPATH': ''}, capture_output=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout.startswith(b'\x89PNG')
    loaded = tf.saved_model.load(str(tmp_path / 'export'))
    serve = loaded.signatures['serving_default']
    here = serve(caption=tf.constant(['a red bird \N{BIRD}']), seed=tf.constant([7], tf.int64))['image_bytes']
    assert result.stdout == here.numpy()[0]
