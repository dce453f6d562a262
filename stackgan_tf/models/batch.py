"""The batch that a training step reads."""

from typing import TypedDict

import tensorflow as tf


class Batch(TypedDict, total=False):
    """One replica's rows of a batch; a model reads the keys in its `batch_keys`, and those that come with them.

    Keys:
        images: float32 `[n, s, s, 3]` in [-1, 1] per size, small to large.
        embedding: float32 `[n, T]`; comes with `has_condition`.
        has_condition: float32 `[n]`, 0 where an example has no caption (or other condition), else 1.
        tokens: int32 `[n, L]`, the characters of one caption of each image.
        other_tokens: int32 `[n, L]`, those of another caption of the same image.
        label: int32 `[n]`, the class; or `[n, G]`, followed by the captions that images of other classes have too:
            rows that share a number are never mismatched pairs.
        attributes: int32 `[n, A]`.
        mismatched_images: like `images`, of other classes; comes with `mismatched_rows`.
        mismatched_rows: float32 `[n]`, 0 where no image of another class was found, else 1.
    """

    images: tuple[tf.Tensor, ...]
    embedding: tf.Tensor
    has_condition: tf.Tensor
    tokens: tf.Tensor
    other_tokens: tf.Tensor
    label: tf.Tensor
    attributes: tf.Tensor
    mismatched_images: tuple[tf.Tensor, ...]
    mismatched_rows: tf.Tensor
