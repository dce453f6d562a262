"""What can be read off embeddings: a linear probe for each attribute of the pictures that captions describe."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.zero_shot import in_batches
from stackgan_tf.text.text_encoder import TextEncoder

_INVERSE_REGULARISATION = 0.1


def attribute_accuracy(
    encoder: TextEncoder, training: ExampleSource, unseen: ExampleSource, names: Sequence[str]
) -> dict[str, float]:
    """How often logistic regressions fitted to some pictures' first captions are right about other pictures'.

    Args:
        encoder: what embeds the captions.
        training: what the probes are fitted to.
        unseen: what they are tried on.
        names: of the attributes.

    Returns:
        The share of right answers by attribute.

    Raises:
        UserError: a source lacks captions or attributes.
    """
    fitted, tried = (_first_captions(encoder, source) for source in (training, unseen))
    accuracy = {}
    for name, known, asked in zip(names, training.attributes().T, unseen.attributes().T, strict=True):
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=1000))
        accuracy[name] = float(np.mean(probe.fit(fitted, known).predict(tried) == asked))
    return accuracy


def _first_captions(encoder: TextEncoder, source: ExampleSource) -> np.ndarray:
    """Embeddings of each example's first caption."""
    captions = source.captions()
    return in_batches(encoder, tf.constant(captions.texts[captions.choices.first], tf.string))
