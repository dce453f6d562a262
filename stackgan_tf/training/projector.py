"""The embeddings of captions for TensorBoard's projector: points, each with its caption."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins import projector

from stackgan_tf.data.captioned_examples import examples_with_condition
from stackgan_tf.data.embeddings import Embeddings
from stackgan_tf.system.atomic_files import write_whole

POINTS = 500
_VECTORS, _WORDS = 'embeddings.tsv', 'embeddings_words.tsv'


def write_projector(folder: Path, embeddings: Embeddings, count: int) -> None:
    """Writes the projector's files into the folder of a phase's events; nothing if the embeddings have no words.

    Args:
        folder: of the phase.
        embeddings: that it is conditioned on.
        count: of its examples; at most `POINTS` of those with a condition are written, spread evenly, with the first
            caption of each.
    """
    examples = examples_with_condition(embeddings.missing, count)
    number = min(POINTS, len(examples))
    indices = examples[np.arange(number) * len(examples) // number]
    words = [' '.join(text.split()) or '(no words)' for text in embeddings.texts(indices)]
    if not words:
        return
    vectors = embeddings.drawn(tf.constant(indices), tf.zeros(number)).numpy()
    rows = '\n'.join('\t'.join(f'{value:.5g}' for value in vector) for vector in vectors)
    write_whole(folder / _VECTORS, f'{rows}\n'.encode())
    # A file of one column has no title line.
    write_whole(folder / _WORDS, ('\n'.join(words) + '\n').encode())
    config = projector.ProjectorConfig()
    config.embeddings.add(tensor_name='captions', tensor_path=_VECTORS, metadata_path=_WORDS)
    projector.visualize_embeddings(str(folder), config)
