"""Whether a text encoder knows classes that it never saw: zero-shot classification and retrieval.

Source: Reed et al. (arXiv 1605.05395), "Experimental results": pictures are classified by the nearest of the classes'
mean caption embeddings, and each class retrieves pictures by it.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.text_encoder import TextEncoder

_RETRIEVED = 50  # pictures a class retrieves at most, as in AP@50
_BATCH = 128
_BLOCK = 512


def zero_shot_scores(encoder: TextEncoder, source: ExampleSource) -> dict[str, float]:
    """Scores of an encoder on all pictures (their centres) and all captions of a source.

    Args:
        encoder: one that reads pictures.
        source: has captions; its classes are best ones that the encoder never saw.

    Returns:
        `zero_shot_accuracy` and `retrieval_precision`.

    Raises:
        UserError: the encoder reads no pictures or the source has no captions.
    """
    size = encoder.image_size
    if size is None:
        raise UserError('this text encoder was not trained with pictures: it cannot tell which belong to a caption')

    def features(indices: tf.Tensor) -> tf.Tensor:
        crops = source.crops(indices, tf.fill((tf.size(indices), 2), 0.5), size)
        return encoder.encode_images(tf.cast(crops, tf.float32) / 127.5 - 1.0)

    captions, labels = source.captions(), source.labels()
    texts = in_batches(encoder, tf.constant(captions.texts, tf.string))
    classes, means = class_embeddings(texts, np.repeat(labels, captions.choices.counts))
    pictures = in_batches(features, tf.range(source.count, dtype=tf.int64))
    # A part at a time: without classes there are as many of them as pictures.
    rows = [slice(first, first + _BLOCK) for first in range(0, len(pictures), _BLOCK)]
    columns = [slice(first, first + _BLOCK) for first in range(0, len(classes), _BLOCK)]
    accuracy = [zero_shot_accuracy(pictures[part] @ means.T, classes, labels[part]) for part in rows]
    precision = [retrieval_precision(pictures @ means[part].T, classes[part], labels) for part in columns]
    return {
        'zero_shot_accuracy': float(np.average(accuracy, weights=[len(labels[part]) for part in rows])),
        'retrieval_precision': float(np.average(precision, weights=[len(classes[part]) for part in columns])),
    }


def in_batches(function: Callable[[tf.Tensor], tf.Tensor], inputs: tf.Tensor) -> np.ndarray:
    """What a function gives for many rows, a part at a time; it is traced, unless it is a `tf.function` already."""
    is_traced = isinstance(function, tf.types.experimental.PolymorphicFunction)
    traced = function if is_traced else tf.function(function, reduce_retracing=True)
    return np.concatenate([traced(inputs[i : i + _BATCH]).numpy() for i in range(0, len(inputs), _BATCH)])


def class_embeddings(embeddings: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean embedding of each class's captions.

    Args:
        embeddings: of captions, `[R, T]`.
        labels: their classes, int `[R]`.

    Returns:
        The classes there are, int `[C]`, and their means, `[C, T]`.
    """
    classes, rows = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(classes), embeddings.shape[1]))
    np.add.at(sums, rows, embeddings)
    return classes, sums / np.bincount(rows)[:, None]


def zero_shot_accuracy(scores: np.ndarray, classes: np.ndarray, labels: np.ndarray) -> float:
    """The share of pictures whose highest-scoring class is theirs.

    Args:
        scores: of each picture with each class, `[N, C]`.
        classes: the classes, int `[C]`.
        labels: of the pictures, int `[N]`.
    """
    return float(np.mean(classes[np.argmax(scores, axis=1)] == labels))


def retrieval_precision(scores: np.ndarray, classes: np.ndarray, labels: np.ndarray) -> float:
    """The mean over classes of the share of its own among the K pictures that score highest with a class.

    K is 50, as in the source, or the number of the class's pictures where it has fewer.

    Args:
        scores: of each picture with each class, `[N, C]`.
        classes: the classes, int `[C]`.
        labels: of the pictures, int `[N]`.
    """
    own = labels[:, None] == classes[None, :]  # [N, C]
    highest = np.argsort(-scores, axis=0, kind='stable')
    hits = np.cumsum(np.take_along_axis(own, highest, axis=0), axis=0)
    retrieved = np.minimum(_RETRIEVED, own.sum(axis=0))
    return float(np.mean(hits[retrieved - 1, np.arange(len(classes))] / retrieved))
