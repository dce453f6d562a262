"""Probes the embeddings of a text encoder on captions of painted birds of unseen species.

python tools/probe_text_encoder.py --encoder=runs/text/painted_birds

A linear probe is fitted to the embeddings of the first caption of each training image, which names every part, and
tested on those of unseen species: the accuracy of the color of each part and of the length of the beak. Zero-shot
scores and captions per second follow.
"""

import time

from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say

_ENCODER = flags.DEFINE_string('encoder', None, 'A run, an exported encoder or a TF Hub handle.', required=True)
_DATA = flags.DEFINE_string('data', 'painted_birds/76px', 'The configuration of painted birds.')
_SPLIT = flags.DEFINE_enum(
    'split', 'validation', ['validation', 'test'], 'The unseen species: to choose settings, or to report scores.'
)


def main() -> None:
    """Measures the encoder of the flags."""
    import tensorflow as tf

    from stackgan_tf.data.painted_birds.species import ATTRIBUTES
    from stackgan_tf.data.tfds_images import TfdsImages
    from stackgan_tf.evaluation.attribute_probe import attribute_accuracy
    from stackgan_tf.evaluation.zero_shot import in_batches, zero_shot_scores
    from stackgan_tf.loading import load_text_encoder

    encoder = load_text_encoder(_ENCODER.value)
    training, unseen = TfdsImages(_DATA.value), TfdsImages(_DATA.value, _SPLIT.value)
    for name, accuracy in attribute_accuracy(encoder, training, unseen, ATTRIBUTES).items():
        say(f'linear probe, {name:<8} {accuracy:.3f}')
    if encoder.image_size is not None:
        for name, score in zero_shot_scores(encoder, unseen).items():
            say(f'{name:<22} {score:.3f}')
    captions = tf.constant(unseen.captions().texts)
    in_batches(encoder, captions[:128])  # the first call traces the graph
    start = time.perf_counter()
    in_batches(encoder, captions)
    say(f'{"captions per second":<22} {len(captions) / (time.perf_counter() - start):,.0f}')


if __name__ == '__main__':
    run_command(main)
