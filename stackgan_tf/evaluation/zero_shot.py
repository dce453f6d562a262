"""Zero-shot classification and retrieval: scores of a text encoder on classes that it was not trained on.

Source: Reed et al. (arXiv 1605.05395), "Experimental results": an image is classified by the nearest mean caption
embedding of a class, and each class retrieves images by its mean embedding.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.text_encoder import TextEncoder

_RETRIEVED = 50  # images a class retrieves at most, as in AP@50
_BATCH = 128
_BLOCK = 512


def zero_shot_scores(encoder: TextEncoder, source: ExampleSource) -> dict[str, float]:
    """Scores of an encoder on all images (center crops) and all captions of a source.

    Args:
        encoder: a text encoder that was trained with images.
        source: has captions, preferably of classes that the encoder was not trained on.

    Returns:
        `zero_shot_accuracy` and `retrieval_precision`.

    Raises:
        UserError: the encoder was not trained with images or the source has no captions.
    """
    size = encoder.image_size
    if size is None:
        raise UserError('this text encoder was not trained with images: it cannot match images with captions')

    def features(indices: tf.Tensor) -> tf.Tensor:
        crops = source.crops(indices, tf.fill((tf.size(indices), 2), 0.5), size)
        return encoder.encode_images(tf.cast(crops, tf.float32) / 127.5 - 1.0)

    captions, labels = source.captions(), source.labels()
    texts = in_batches(encoder, tf.constant(captions.texts, tf.string))
    classes, means = class_embeddings(texts, np.repeat(labels, captions.index.counts))
    images = in_batches(features, tf.range(source.count, dtype=tf.int64))
    # In blocks: without labels there are as many classes as images.
    rows = [slice(first, first + _BLOCK) for first in range(0, len(images), _BLOCK)]
    columns = [slice(first, first + _BLOCK) for first in range(0, len(classes), _BLOCK)]
    accuracy = [zero_shot_accuracy(images[part] @ means.T, classes, labels[part]) for part in rows]
    precision = [retrieval_precision(images @ means[part].T, classes[part], labels) for part in columns]
    return {
        'zero_shot_accuracy': float(np.average(accuracy, weights=[len(labels[part]) for part in rows])),
        'retrieval_precision': float(np.average(precision, weights=[len(classes[part]) for part in columns])),
    }


def in_batches(function: Callable[[tf.Tensor], tf.Tensor], inputs: tf.Tensor) -> np.ndarray:
    """Applies a function to many rows in batches; it is traced, unless it is a `tf.function` already."""
    is_traced = isinstance(function, tf.types.experimental.PolymorphicFunction)
    traced = function if is_traced else tf.function(function, reduce_retracing=True)
    return np.concatenate([traced(inputs[i : i + _BATCH]).numpy() for i in range(0, len(inputs), _BATCH)])


def class_embeddings(embeddings: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean embedding of each class's captions.

    Args:
        embeddings: the embeddings of captions, `[R, T]`.
        labels: their classes, int `[R]`.

    Returns:
        The classes, int `[C]`, and their means, `[C, T]`.
    """
    classes, rows = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(classes), embeddings.shape[1]))
    np.add.at(sums, rows, embeddings)
    return classes, sums / np.bincount(rows)[:, None]


def zero_shot_accuracy(scores: np.ndarray, classes: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose highest-scoring class is the right one.

    Args:
        scores: the score of each image with each class, `[N, C]`.
        classes: the classes, int `[C]`.
        labels: the labels of the images, int `[N]`.
    """
    return float(np.mean(classes[np.argmax(scores, axis=1)] == labels))


def retrieval_precision(scores: np.ndarray, classes: np.ndarray, labels: np.ndarray) -> float:
    """The mean over classes of the precision at K: the share of a class's images among the K that score highest.

    K is 50, as in the source, or the number of the class's images if there are fewer.

    Args:
        scores: the score of each image with each class, `[N, C]`.
        classes: the classes, int `[C]`.
        labels: the labels of the images, int `[N]`.
    """
    own = labels[:, None] == classes[None, :]  # [N, C]
    highest = np.argsort(-scores, axis=0, kind='stable')
    hits = np.cumsum(np.take_along_axis(own, highest, axis=0), axis=0)
    retrieved = np.minimum(_RETRIEVED, own.sum(axis=0))
    return float(np.mean(hits[retrieved - 1, np.arange(len(classes))] / retrieved))
