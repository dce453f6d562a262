"""Sampling of the captions from which a text-to-image model generates the images that are measured."""

import dataclasses

import numpy as np

from stackgan_tf.data.example_source import ExampleSource


@dataclasses.dataclass(frozen=True)
class SampledCaptions:
    """N captions, each sampled from the captions of one example.

    Attributes:
        texts: bytes, objects `[N]`.
        rows: int `[N]`, their positions among all captions of the source.
        examples: int `[N]`, their examples.
        labels: int `[N]`, the classes of those examples.
    """

    texts: np.ndarray
    rows: np.ndarray
    examples: np.ndarray
    labels: np.ndarray


def sample_captions(source: ExampleSource, count: int, seed: int) -> SampledCaptions:
    """Samples one caption of each of `count` examples; if there are fewer, every round is a new permutation of all.

    Raises:
        UserError: the source has no captions.
    """
    rng = np.random.default_rng(seed)
    captions = source.captions()
    rounds = -(-count // source.count)
    examples = np.concatenate([rng.permutation(source.count) for _ in range(rounds)])[:count]
    index = captions.index
    rows = index.first[examples] + rng.integers(index.counts[examples])
    return SampledCaptions(captions.texts[rows], rows, examples, source.labels()[examples])
