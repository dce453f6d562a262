import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from captioned import Captioned, WordEncoder

from stackgan_tf.evaluation.attribute_probe import attribute_accuracy

ROOT = Path(__file__).parents[2]


def test_what_is_in_embeddings_is_read_and_what_is_not_is_not():
    # The colour is in them; whether the number is even is in no caption's colour or length.
    accuracy = attribute_accuracy(WordEncoder(), Captioned(120), Captioned(60), ['colour', 'parity'])
    assert accuracy['colour'] == 1
    assert accuracy['parity'] < 0.8

    class Deaf(WordEncoder):
        def __call__(self, captions):
            return tf.zeros_like(super().__call__(captions))

    assert attribute_accuracy(Deaf(), Captioned(120), Captioned(60), ['colour', 'parity'])['colour'] < 0.4


@pytest.mark.slow
def test_the_recipe_of_painted_birds_reads_every_colour_of_unseen_species(tmp_path):
    """Before anyone tunes a generator on top. About two minutes on two cores."""
    train = ['-m', 'stackgan_tf.train', '--gin_file=gin/text/painted_birds.gin', f'--workdir={tmp_path}/run']
    subprocess.run([sys.executable, *train], cwd=ROOT, check=True)
    probe = [str(ROOT / 'tools' / 'probe_text_encoder.py'), f'--encoder={tmp_path}/run']
    output = subprocess.run([sys.executable, *probe], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = dict(line.rsplit(maxsplit=1) for line in output.splitlines() if line)
    for part in ('body', 'belly', 'wing', 'crown'):
        assert float(found[f'linear probe, {part}']) >= 0.95, output
    assert float(found['zero_shot_accuracy']) >= 0.95, output
