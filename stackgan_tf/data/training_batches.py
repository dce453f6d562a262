"""Batches for training: order and augmentation of examples follow from (seed, global example index) alone."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.embeddings import CaptionEmbeddings, Embeddings
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_pyramid import image_pyramid
from stackgan_tf.data.pair_groups import pair_groups
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.characters import caption_tokens

_ORDER_STREAM = 3  # of random numbers; `example_draws` has those before it


def example_order(positions: tf.Tensor, count: int, seed: int, length: int | None = None) -> tf.Tensor:
    """Which examples stand at some positions of the endless shuffled stream.

    Args:
        positions: int64 `[n]`, global example indices.
        count: N, how many examples there are.
        seed: of the run.
        length: of a pass, at most N, its default; the rest of each order is dropped.

    Returns:
        int64 `[n]` in [0, N): within a pass every example comes once, or is dropped, each time in another order.
    """
    length = length or count
    passes, places = positions // length, positions % length
    first = tf.reduce_min(passes)
    # Eight words for each pass. A shuffle reads few bits of its three words, 8 of each for a small N, so there are two.
    shape = tf.stack([tf.reduce_max(passes) - first + 1, 8])
    words = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape, **_philox(seed, _ORDER_STREAM, 2 * first), dtype=tf.int32
    )
    keys = tf.gather(words, passes - first)
    for key in (keys[:, :3], keys[:, 3:6]):
        # The raw operation: `tf.random.experimental.index_shuffle` takes one key only, unlike its documentation.
        places = tf.raw_ops.RandomIndexShuffle(
            index=places, seed=key, max_index=tf.constant(count - 1, tf.int64), rounds=4
        )
    return places


def _philox(seed: int, stream: int, first: tf.Tensor) -> dict[str, tf.Tensor]:
    """The arguments of a stateless operation that draws from the `first` value of a stream's counter on."""
    return {
        'key': tf.constant([seed % 2**64], tf.uint64),
        'counter': tf.stack([tf.cast(first, tf.uint64), tf.constant(stream, tf.uint64)]),
        'alg': tf.constant(tf.random.Algorithm.PHILOX.value),
    }


def example_draws(first: tf.Tensor, count: int, seed: int, stream: int = 0) -> tf.Tensor:
    """Random numbers for `count` examples from the global example index `first` on: float32 `[count, 4]` in [0, 1).

    Philox makes four numbers of each value of its counter, and the global example index is that counter: so the numbers
    of an example do not depend on the batch it is in. Each stream is another four.
    """
    return tf.raw_ops.StatelessRandomUniformV2(shape=(count, 4), **_philox(seed, stream, first))


def other_class_partners(indices: tf.Tensor, draws: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pairs each example with one of another class, whose image does not match its caption.

    Args:
        indices: int64 `[N]`, of the examples.
        draws: float32 `[N, D]` in [0, 1): candidates, of which the first that fits is taken.
        labels: int32 `[count]`, of all examples; or `[count, G]`, see `pair_groups`.

    Returns:
        Partners, int64 `[N]`, and float32 `[N]`: 1, or 0 where none fits.
    """
    groups = tf.reshape(labels, (tf.shape(labels)[0], -1))  # [count, G]
    candidates = tf.cast(draws * tf.cast(tf.shape(groups)[0], tf.float32), tf.int64)  # [N, D]
    equal = tf.gather(groups, candidates)[..., None] == tf.gather(groups, indices)[:, None, None]  # [N, D, G, G]
    fits = ~tf.reduce_any(equal, axis=(2, 3))
    first = tf.argmax(tf.cast(fits, tf.int32), axis=1)
    return tf.gather(candidates, first, batch_dims=1), tf.cast(tf.reduce_any(fits, axis=1), tf.float32)


def training_batches(
    source: ExampleSource,
    sizes: Sequence[int],
    batch_size: int,
    seed: int,
    start_step: int,
    steps: int,
    flip: bool = True,
    parts: Sequence[str] = ('images',),
    embeddings: Embeddings | None = None,
    captions_averaged: int = 1,
    drop_remainder: bool = False,
    shares: int = 1,
    own_shares: range = range(1),
    alphabet: str = 'ascii',
) -> tf.data.Dataset:
    """The batches of steps `start_step` to `start_step + steps - 1`, or shares of them.

    Args:
        source: the examples.
        sizes: of the pyramid, small to large.
        batch_size: examples in a global batch.
        seed: of the run.
        start_step: the first step, counted from 0.
        steps: how many batches there are.
        flip: whether images are mirrored with probability 1/2.
        parts: of 'images', 'tokens', 'other_tokens', 'label', 'attributes' and 'mismatched_images', what a batch holds.
        embeddings: of the examples, which a batch then holds too.
        captions_averaged: how many embeddings of each example are averaged.
        drop_remainder: whether each pass over the examples ends with its last whole batch. By default a batch may hold
            the last examples of one pass and the first of the next.
        shares: into how many equal parts each batch is divided.
        own_shares: the parts that are returned, one after the other. Only their examples are read.
        alphabet: what tokens are; see `ALPHABETS`.

    Returns:
        A data set of dicts, with `N = batch_size / shares`: `images`, a tuple of float32 `[N, s, s, 3]` in [-1, 1],
        small to large; `tokens` int32 `[N, L]` of one caption of each, drawn anew each time (L = 201, or 512 bytes);
        `other_tokens` of another caption of it; `label` int32 `[N]`, or `[N, G]` where captions are shared (see
        `pair_groups`); `attributes` int32 `[N, A + U]`, those that captions may name, then the others, of the image as
        it is or mirrored; `embedding` float32 `[N, T]` of the former caption, with `has_condition` float32 `[N]`, 0
        where an example has none; `mismatched_images`, like `images`, of examples of other classes, cropped and
        mirrored on their own, with `mismatched_rows` float32 `[N]`, 0 where there is none.

    Raises:
        UserError: the source lacks something that a batch should hold, or has too few examples for a whole batch.
    """
    if drop_remainder and source.count < batch_size:
        raise UserError(
            f'{source.title} has {source.count} examples, a batch {batch_size}: set a smaller batch size, or '
            'Phase.drop_remainder = False'
        )
    length = source.count // batch_size * batch_size if drop_remainder else source.count
    captions = source.captions() if {'tokens', 'other_tokens'} & set(parts) else Captions([])
    labels = tf.constant(_labels(source, captions, embeddings) if {'label', 'mismatched_images'} & set(parts) else [0])
    attributes = tf.constant(_with_unnamed(source) if 'attributes' in parts else [[[0]]], tf.int32)
    missing = embeddings.missing if embeddings is not None else None
    embedded = tf.constant(np.ones(source.count) if missing is None else ~missing, tf.float32)

    def pyramid(indices: tf.Tensor, draws: tf.Tensor) -> tuple[tf.Tensor, ...]:
        crops = source.crops(indices, draws[:, :2], sizes[-1])
        return image_pyramid(crops, mirrored(draws), sizes)

    def mirrored(draws: tf.Tensor) -> tf.Tensor:
        return (draws[:, 2] >= 0.5) & flip

    rows, own = batch_size // shares, len(own_shares)

    def share(number: tf.Tensor) -> dict[str, tf.Tensor | tuple[tf.Tensor, ...]]:
        first = (number // own) * batch_size + (own_shares.start + number % own) * rows
        indices = example_order(first + tf.range(rows, dtype=tf.int64), source.count, seed, length)
        draws = example_draws(first, rows, seed)
        batch: dict[str, tf.Tensor | tuple[tf.Tensor, ...]] = {}
        if 'images' in parts:
            batch['images'] = pyramid(indices, draws)
        if 'mismatched_images' in parts:
            candidates, mismatched_draws = (example_draws(first, rows, seed, stream) for stream in (1, 2))
            others, batch['mismatched_rows'] = other_class_partners(indices, candidates, labels)
            batch['mismatched_images'] = pyramid(others, mismatched_draws)
        for offset, name in enumerate(('tokens', 'other_tokens')):
            if name in parts:
                batch[name] = caption_tokens(captions.drawn(indices, draws[:, 3], offset), alphabet)
        if 'label' in parts:
            batch['label'] = tf.gather(labels, indices)
        if 'attributes' in parts:
            which = tf.stack([indices, tf.cast(mirrored(draws), tf.int64)], axis=1)
            batch['attributes'] = tf.gather_nd(attributes, which)
        if embeddings is not None:
            drawn = [embeddings.drawn(indices, draws[:, 3], offset) for offset in range(captions_averaged)]
            batch['embedding'] = tf.add_n(drawn) / captions_averaged
            batch['has_condition'] = tf.gather(embedded, indices)
        return batch

    numbers = tf.data.Dataset.range(start_step * own, (start_step + steps) * own)
    return numbers.map(share, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)


def _labels(source: ExampleSource, captions: Captions, embeddings: Embeddings | None) -> np.ndarray:
    """The classes of a source, with the captions that its examples share if a model is conditioned on captions."""
    texts, counts = captions.texts, captions.index.counts
    if isinstance(embeddings, CaptionEmbeddings):
        texts, counts = embeddings.captions.texts, embeddings.captions.index.counts
    return pair_groups(source.labels(), texts, counts) if len(counts) else source.labels()


def _with_unnamed(source: ExampleSource) -> np.ndarray:
    """All attributes of each image and of its mirror image: int32 `[count, 2, A + U]`."""
    named = np.repeat(source.attributes()[:, None], 2, axis=1)
    return np.concatenate([named, source.unnamed_attributes()], axis=2)
