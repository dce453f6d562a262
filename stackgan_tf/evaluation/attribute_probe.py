"""Linear probes of text embeddings: one for each attribute of the images that captions describe."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.evaluation.zero_shot import in_batches
from stackgan_tf.text.text_encoder import TextEncoder

_INVERSE_REGULARIZATION = 0.1


def attribute_accuracy(
    encoder: TextEncoder, training: ExampleSource, unseen: ExampleSource, names: Sequence[str]
) -> dict[str, float]:
    """The accuracy of logistic regressions from the embeddings of first captions to attributes.

    Args:
        encoder: embeds the captions.
        training: the data that the probes are fitted to.
        unseen: the data that they are tested on.
        names: the names of the attributes.

    Returns:
        The accuracy by attribute.

    Raises:
        UserError: a source lacks captions or attributes.
    """
    training_embeddings, unseen_embeddings = (_first_captions(encoder, source) for source in (training, unseen))
    accuracy = {}
    for name, labels, unseen_labels in zip(names, training.attributes().T, unseen.attributes().T, strict=True):
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=_INVERSE_REGULARIZATION, max_iter=1000))
        predicted = probe.fit(training_embeddings, labels).predict(unseen_embeddings)
        accuracy[name] = float(np.mean(predicted == unseen_labels))
    return accuracy


def _first_captions(encoder: TextEncoder, source: ExampleSource) -> np.ndarray:
    """Embeddings of each example's first caption."""
    captions = source.captions()
    return in_batches(encoder, tf.constant(captions.texts[captions.index.first], tf.string))
