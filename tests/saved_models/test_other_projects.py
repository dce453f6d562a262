"""The examples of docs/serving.md, run unchanged where this package cannot be imported."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from stackgan_tf.networks.char_cnn_rnn import LENGTH, CharCNNRNN
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.saved_models.saved_model import export_saved_model
from stackgan_tf.text.character_encoder import CharacterEncoder

PAGE = Path(__file__).parents[2] / 'docs' / 'serving.md'
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason='needs the source tree')

# Each example runs in its own namespace; assertions on the results follow.
RUN = """
import sys
sys.modules['stackgan_tf'] = None  # importing it fails
import tensorflow as tf
caption, loaded, layer, keras_3, further = [{} for _ in range(5)]
for example, names in zip(sys.argv[1:], (caption, loaded, layer, keras_3, further), strict=True):
    exec(compile(example, 'docs/serving.md', 'exec'), names)
assert tf.io.decode_png(tf.io.read_file('bird.png')).shape == (64, 64, 3)
assert sorted(loaded['pyramid']) == ['image_32', 'image_64']
assert loaded['pyramid']['image_64'].shape == (2, 64, 64, 3)
assert layer['model'].output_shape == (None, 3)
assert len(layer['model'].trainable_variables) == len(loaded['model'].trainable_variables) > 10
assert keras_3['images'].shape == (2, 64, 64, 3)
assert len(further['gradients']) == len(further['model'].trainable_variables)
assert all(gradient is not None for gradient in further['gradients'])
changed = zip(further['model'].trainable_variables, loaded['model'].trainable_variables, strict=True)
assert any(float(tf.reduce_max(abs(a - b))) > 0 for a, b in changed)
"""


def test_every_example_of_the_page(tmp_path):
    keras.utils.set_random_seed(0)
    network = TreeGenerator(
        sizes=(32, 64),
        noise_dimension=100,
        generator_width=8,
        residual_blocks=1,
        embedding_dimension=512,
        condition_dimension=64,
    )
    network.build((None, 100))
    words = CharCNNRNN(widths=(4, 4, 4), recurrence='relu', dimension=512, initial_range=0.0)
    words.build((None, LENGTH))
    export_saved_model(network, tmp_path / 'bird_model', CharacterEncoder(words))
    examples = re.findall(r'```python\n(.*?)```', PAGE.read_text('utf-8'), re.DOTALL)
    assert all(len(example.splitlines()) <= 11 for example in examples)
    command = [sys.executable, '-c', RUN, *examples]
    environment = {**os.environ, 'PYTHONPATH': ''}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
