"""The captions that a text-to-image model is asked to draw when it is measured."""

import dataclasses

import numpy as np

from stackgan_tf.data.example_source import ExampleSource


@dataclasses.dataclass(frozen=True)
class SampledCaptions:
    """Captions, N of them, each drawn from those of one example.

    Attributes:
        texts: bytes, objects `[N]`.
        rows: int `[N]`, which of all captions of the source they are.
        examples: int `[N]`, whose they are.
        labels: int `[N]`, the classes of those.
    """

    texts: np.ndarray
    rows: np.ndarray
    examples: np.ndarray
    labels: np.ndarray


def draw_captions(source: ExampleSource, count: int, seed: int) -> SampledCaptions:
    """Draws one caption of each of `count` examples; of all in another order, again and again, if there are fewer.

    Raises:
        UserError: the source has no captions.
    """
    rng = np.random.default_rng(seed)
    captions = source.captions()
    rounds = -(-count // source.count)
    examples = np.concatenate([rng.permutation(source.count) for _ in range(rounds)])[:count]
    choices = captions.choices
    rows = choices.first[examples] + rng.integers(choices.counts[examples])
    return SampledCaptions(captions.texts[rows], rows, examples, source.labels()[examples])
