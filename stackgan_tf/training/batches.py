"""The batches that a model reads, for `fit()` in notebooks; runs make the same ones."""

import tensorflow as tf

from stackgan_tf.data.embeddings import Embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.training_batches import training_batches
from stackgan_tf.models.trained_model import TrainedModel
from stackgan_tf.system.errors import UserError

_STEPS = 2**40  # more than any training has


def batches_for(
    model: TrainedModel,
    source: ExampleSource,
    embeddings: Embeddings | None = None,
    flip: bool = True,
    captions_averaged: int = 1,
) -> tf.data.Dataset:
    """The endless batches of a model from its next step on; give `fit` a number of `steps_per_epoch`.

    The batch of a step follows from the model's seed and the step alone. Embeddings that are to be whitened need
    `model.initialize(array)` once before the first step.

    Args:
        model: says the sizes, the batch size, the seed and the parts of a batch.
        source: the examples.
        embeddings: of the examples, for a model with an `embedding_dimension`.
        flip: whether images are mirrored with probability 1/2.
        captions_averaged: how many embeddings of each example are averaged.

    Returns:
        See `training_batches`.

    Raises:
        UserError: the model reads no embeddings and some are given, or the reverse, or they have another length; or the
            source lacks something.
    """
    length = embeddings.dimension if embeddings is not None else 0
    if length != model.embedding_dimension:
        raise UserError(
            f'this {type(model).__name__} has embedding_dimension = {model.embedding_dimension}, the embeddings given '
            f'have {length} numbers'
        )
    return training_batches(
        source,
        model.sizes,
        model.batch_size,
        model.seed,
        start_step=int(model.step.numpy()),
        steps=_STEPS,
        flip=flip,
        parts=model.batch_keys,
        alphabet=model.alphabet,
        embeddings=embeddings,
        captions_averaged=captions_averaged,
    )
