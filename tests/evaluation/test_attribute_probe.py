import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from captioned import Captioned, WordEncoder

from stackgan_tf.evaluation.attribute_probe import attribute_accuracy

ROOT = Path(__file__).parents[2]


def test_the_probe_finds_only_attributes_that_embeddings_contain():
    # Embeddings contain the color, but not the parity of the number.
    accuracy = attribute_accuracy(WordEncoder(), Captioned(120), Captioned(60), ['color', 'parity'])
    assert accuracy['color'] == 1
    assert accuracy['parity'] < 0.8

    class Constant(WordEncoder):
        def __call__(self, captions):
            return tf.zeros_like(super().__call__(captions))

    assert attribute_accuracy(Constant(), Captioned(120), Captioned(60), ['color', 'parity'])['color'] < 0.4


@pytest.mark.slow
def test_the_recipe_of_painted_birds_reads_every_color_of_unseen_species(tmp_path):
    """The text encoder of the generators is good enough. About two minutes on two cores."""
    train = ['-m', 'stackgan_tf.train', '--gin_file=gin/text/painted_birds.gin', f'--workdir={tmp_path}/run']
    subprocess.run([sys.executable, *train], cwd=ROOT, check=True)
    probe = [str(ROOT / 'tools' / 'probe_text_encoder.py'), f'--encoder={tmp_path}/run']
    output = subprocess.run([sys.executable, *probe], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = dict(line.rsplit(maxsplit=1) for line in output.splitlines() if line)
    for part in ('body', 'belly', 'wing', 'crown'):
        assert float(found[f'linear probe, {part}']) >= 0.95, output
    assert float(found['zero_shot_accuracy']) >= 0.95, output
