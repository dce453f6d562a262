"""Sample images of a phase: generated and written at each tick by the chief."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.data.captioned_examples import examples_with_condition
from stackgan_tf.data.embeddings import Embeddings
from stackgan_tf.figures.caption_grid import caption_grid
from stackgan_tf.figures.image_grid import image_grid, write_png
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.training.callbacks.steps import PhaseState

SAMPLES = 64
_ROWS = 8  # of samples, each of one caption


class GenerateSamples(keras.callbacks.Callback):
    """Generates images with the averaged generator, of the same seeds and embeddings at each tick.

    Args:
        state: of the phase.
        generator: the averaged one.
        embeddings: `[SAMPLES, T]`; None without condition.
    """

    def __init__(self, state: PhaseState, generator: NetworkGenerator, embeddings: np.ndarray | None) -> None:
        super().__init__()
        self._state = state
        self._generator = generator
        self._embeddings = embeddings

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Generates the images of a whole tick."""
        if self._state.record is not None:
            self._state.samples = self._generator.generate_every_size(range(SAMPLES), self._embeddings)


class WriteSamples(keras.callbacks.Callback):
    """Writes the samples of each tick: the largest as a PNG file, all sizes to TensorBoard.

    Args:
        state: of the phase.
        directory: of the phase.
        writer: of TensorBoard's events.
        captions: one of each row of samples; empty without captions.
    """

    def __init__(
        self, state: PhaseState, directory: Path, writer: tf.summary.SummaryWriter, captions: list[str]
    ) -> None:
        super().__init__()
        self._state = state
        self._directory = directory
        self._writer = writer
        self._captions = captions

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes after the report, which may refuse the tick."""
        step, samples = self._state.step, self._state.samples
        if not samples:
            return
        grids = {size: image_grid(images) for size, images in samples.items()}
        write_png(self._directory / 'samples' / f'step_{step:06d}.png', grids[max(grids)])
        if self._captions:
            grids = {size: caption_grid(self._captions, images) for size, images in samples.items()}
        with self._writer.as_default(step):
            for size, grid in grids.items():
                tf.summary.image(f'samples/{size} px', grid[None])
            self._writer.flush()


def sample_conditions(embeddings: Embeddings, count: int) -> tuple[np.ndarray, list[str]]:
    """The condition of samples: the first caption of eight captioned examples, spread evenly, for a row of images each.

    Args:
        embeddings: of the phase.
        count: of its examples.

    Returns:
        Embeddings, float32 `[SAMPLES, T]`, and the eight captions; no captions if the embeddings have no words.
    """
    examples = examples_with_condition(embeddings.missing, count)
    indices = examples[np.arange(_ROWS) * len(examples) // _ROWS]
    drawn = embeddings.drawn(tf.constant(indices), tf.zeros(_ROWS)).numpy()
    return np.repeat(drawn, SAMPLES // _ROWS, axis=0), embeddings.texts(indices)
