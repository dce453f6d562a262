"""The condition of each example: the embedding of a caption, or a one-hot vector of its class or attributes."""

import abc
import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf

from stackgan_tf.data.caption_index import CaptionIndex
from stackgan_tf.data.captioned_examples import examples_with_condition
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import Count
from stackgan_tf.text.clip_encoder import CLIP_PREFIX, ClipEncoder
from stackgan_tf.text.embedding_cache import CachedEmbeddings
from stackgan_tf.text.saved_encoder import SavedEncoder
from stackgan_tf.text.text_encoder import TextEncoder


class Embeddings(abc.ABC):
    """The condition vectors of a data set's examples.

    Attributes:
        dimension: T.
        fingerprint: of their encoder or table; a model only accepts vectors with the fingerprint of its training.
        condition_source: where a finished model's conditions come from, if that needs no data: `phase`, the name of the
            one that trained the text encoder; `text_encoder`, what `load_text_encoder` loads; or `class_names`.
        missing: bool `[count]`, the examples without a condition, which get the empty caption's; None if each has one.
    """

    dimension: int
    fingerprint: str
    condition_source: Mapping[str, Any] = MappingProxyType({})
    missing: np.ndarray | None = None

    @abc.abstractmethod
    def drawn(self, indices: tf.Tensor, draws: tf.Tensor, offset: int = 0) -> tf.Tensor:
        """One vector of each example.

        Args:
            indices: int64 `[N]` in [0, count), of the examples.
            draws: float32 `[N]` in [0, 1), which of its vectors.
            offset: how many vectors after that one; wraps around after the example's last.

        Returns:
            float32 `[N, T]`.
        """

    def texts(self, indices: np.ndarray) -> list[str]:
        """The first condition of each example in words: int64 `[N]` to N texts; an empty list if there are none."""
        return []


def sample_embeddings(embeddings: Embeddings, count: int, most: int = 10_000) -> np.ndarray:
    """Draws `most` embeddings from all examples that have a condition: one of each, or several if they are few.

    Returns:
        float32 `[most, T]`.
    """
    rng = np.random.default_rng(0)
    conditional = examples_with_condition(embeddings.missing, count)
    few = len(conditional) < most
    drawn = rng.permutation(most) % len(conditional) if few else rng.integers(0, len(conditional), most)
    indices = conditional[drawn]
    return embeddings.drawn(tf.constant(indices, tf.int64), tf.constant(rng.random(most, np.float32))).numpy()


def embedding_scale(embeddings: Embeddings, count: int) -> tuple[float, float]:
    """The mean and the standard deviation of all numbers in some of the embeddings of `count` examples."""
    some = sample_embeddings(embeddings, count, most=1000)
    return float(some.mean()), float(some.std())


class CaptionEmbeddings(Embeddings):
    """Embeddings of every caption, computed once and cached.

    Attributes:
        captions: of the data set.

    Raises:
        UserError: the data set has no captions.
    """

    def __init__(self, source: ExampleSource, encoder: TextEncoder) -> None:
        self.captions = captions = source.captions()
        self.encoder = encoder
        self.dimension = encoder.dimension
        self.fingerprint = encoder.fingerprint
        self._index = captions.index
        self._texts = captions.texts
        self.missing = captions.missing if captions.missing.any() else None
        self._cached = CachedEmbeddings(encoder, captions.texts, source.title)

    def drawn(self, indices: tf.Tensor, draws: tf.Tensor, offset: int = 0) -> tf.Tensor:
        """float32 `[N, T]`; see `Embeddings`. The caption is the one that `Captions.drawn` draws."""
        positions = self._index.positions(indices, draws, offset)
        rows = tf.numpy_function(self._cached.rows, [positions], tf.float32, stateful=False)
        return tf.ensure_shape(rows, (*indices.shape, self.dimension))

    def texts(self, indices: np.ndarray) -> list[str]:
        """The first caption of each; see `Embeddings`."""
        first = self._index.positions(tf.constant(indices), tf.zeros(len(indices)), 0).numpy()
        return [text.decode('utf-8', 'replace') for text in self._texts[first]]


class HubEmbeddings(CaptionEmbeddings):
    """Embeddings by a SavedModel that maps strings to vectors: a module of TF Hub, or an encoder of this package.

    Args:
        handle: of TF Hub, or a folder.

    Raises:
        UserError: it is not a text encoder, or the data set has no captions.
    """

    def __init__(self, source: ExampleSource, handle: str) -> None:
        super().__init__(source, SavedEncoder(handle))
        self.condition_source = {'text_encoder': handle}


class ClipText(CaptionEmbeddings):
    """Embeddings by the text tower of CLIP; see `ClipEncoder`.

    Args:
        preset: of keras-hub, such as `clip_vit_base_patch32`, or a folder that holds one.

    Raises:
        UserError: there is no such CLIP, or the data set has no captions.
    """

    def __init__(self, source: ExampleSource, preset: str) -> None:
        encoder = ClipEncoder(preset)
        if longer := encoder.tokens.longer(source.captions().texts):
            count = f'{longer:,} of {len(source.captions().texts):,} captions'
            say(
                f'CLIP reads the first {encoder.tokens.length} tokens of a caption; {count} of {source.title} have more'
            )
        super().__init__(source, encoder)
        self.condition_source = {'text_encoder': f'{CLIP_PREFIX}{preset}'}


class StoredEmbeddings(Embeddings):
    """Embeddings that the data set includes, such as those that were published with the paper.

    Raises:
        UserError: it has none, or they are not all of one length.
    """

    def __init__(self, source: ExampleSource) -> None:
        stored = [np.atleast_2d(rows) for rows in source.stored_embeddings()]
        widths = {rows.shape[1:] for rows in stored}
        if len(widths) != 1 or len(shape := widths.pop()) != 1 or not shape[0]:
            raise UserError(f'the stored embeddings of {source.title} are not all of one length')
        if not all(len(rows) for rows in stored):
            raise UserError(f'some examples of {source.title} have no stored embedding')
        self.dimension = int(shape[0])
        self._index = CaptionIndex([len(rows) for rows in stored])
        table = np.concatenate(stored).astype(np.float32)
        if not np.isfinite(table).all():
            raise UserError(f'the stored embeddings of {source.title} are not all numbers')
        self.fingerprint = f'stored {hashlib.sha256(table.tobytes()).hexdigest()[:16]}'
        self._table = tf.constant(table)

    def drawn(self, indices: tf.Tensor, draws: tf.Tensor, offset: int = 0) -> tf.Tensor:
        """float32 `[N, T]`; see `Embeddings`."""
        return tf.gather(self._table, self._index.positions(indices, draws, offset))


class LabelVectors(Embeddings):
    """The class of each example, one-hot.

    Raises:
        UserError: the data set has no classes.
    """

    def __init__(self, source: ExampleSource) -> None:
        names = source.class_names
        if not names:
            raise UserError(f'{source.title} has no classes, which this recipe needs')
        self.dimension = len(names)
        self.fingerprint = f'labels {hashlib.sha256(repr(list(names)).encode()).hexdigest()[:16]}'
        self.condition_source = {'class_names': list(names)}
        labels = source.labels()
        self.missing = labels >= len(names) if (labels >= len(names)).any() else None
        self._labels = tf.constant(labels)
        self._names = names

    def drawn(self, indices: tf.Tensor, draws: tf.Tensor, offset: int = 0) -> tf.Tensor:
        """float32 `[N, T]`; see `Embeddings`."""
        return tf.one_hot(tf.gather(self._labels, indices), self.dimension)

    def texts(self, indices: np.ndarray) -> list[str]:
        """The class name of each; see `Embeddings`. It is empty where the class is unknown."""
        labels = tf.gather(self._labels, indices).numpy()
        return [self._names[label] if label < len(self._names) else '' for label in labels]


class AttributeVectors(Embeddings):
    """The attributes of each example, one-hot and concatenated.

    Args:
        choices: how many values each attribute has; by default one more than the largest value in this split.

    Raises:
        UserError: the data set has no attributes, or others.
    """

    def __init__(self, source: ExampleSource, choices: Sequence[Count] = ()) -> None:
        attributes = source.attributes()
        found = (attributes.max(axis=0) + 1).tolist()
        self._choices = list(choices) or found
        too_few = len(self._choices) != len(found) or any(map(int.__lt__, self._choices, found))
        if too_few or attributes.min() < 0:
            raise UserError(f'AttributeVectors.choices = {tuple(choices)}, but {source.title} has {tuple(found)}')
        self.dimension = sum(self._choices)
        self.fingerprint = f'attributes {self._choices}'
        self._attributes = tf.constant(attributes, tf.int32)

    def drawn(self, indices: tf.Tensor, draws: tf.Tensor, offset: int = 0) -> tf.Tensor:
        """float32 `[N, T]`; see `Embeddings`."""
        columns = tf.unstack(tf.gather(self._attributes, indices), axis=1)
        return tf.concat([tf.one_hot(column, depth) for column, depth in zip(columns, self._choices, strict=True)], 1)
