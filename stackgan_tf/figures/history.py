"""The history of a training: samples of the same noise and captions over time, and the curves of its losses."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from stackgan_tf.figures.labeled_grid import Row, labeled_grid
from stackgan_tf.system.atomic_files import read_back
from stackgan_tf.system.errors import UserError

_SIDE = 8  # rows and columns of a phase's sample grids
_CURVES = ('discriminator_loss', 'generator_loss', 'kl_loss', 'color_loss')
_INCH = 100  # pixels


def history_figure(folder: Path, columns: int, rows: int, tile: int) -> np.ndarray:
    """The strip of samples above the curves.

    Args:
        folder: of a phase of a run.
        columns: points in time, evenly spread over the training.
        rows: of the samples, one caption each.
        tile: the size of an image in the figure, pixels.

    Returns:
        uint8 `[H, W, 3]`.

    Raises:
        UserError: the phase has no samples or no metrics, or matplotlib is missing.
    """
    steps, strip = sample_strip(folder, columns, rows)
    grid = labeled_grid(strip, [f'step {step:,}' for step in steps], tile=tile)
    return np.concatenate([grid, loss_curves(read_metrics(folder), grid.shape[1])])


def sample_strip(folder: Path, columns: int, rows: int) -> tuple[list[int], list[Row]]:
    """The steps of a strip, and its rows: the first sample of each row of the grids that training wrote.

    Raises:
        UserError: there are none.
    """
    files = sorted((folder / 'samples').glob('step_*.png'), key=_step)
    if not files:
        raise UserError(f'{folder} has no samples: name a run with --model, and a phase that trains a generator')
    chosen = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, columns).round().astype(int))]
    grids = [np.asarray(Image.open(file).convert('RGB')) for file in chosen]
    size = grids[0].shape[0] // _SIDE
    strips = np.stack([grid[:, :size].reshape(_SIDE, size, size, 3)[:rows] for grid in grids], axis=1)
    return [_step(file) for file in chosen], [(f'sample {_SIDE * row}', strip) for row, strip in enumerate(strips)]


def _step(file: Path) -> int:
    return int(file.stem.removeprefix('step_'))


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """The metrics of each tick.

    Raises:
        UserError: the phase has written none, or the file cannot be read.
    """
    path = folder / 'metrics.jsonl'
    with read_back(path):
        records = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()] if path.exists() else []
    if not records:
        raise UserError(f'{folder} has no metrics yet: train first')
    return records


def loss_curves(records: list[dict[str, float]], width: int) -> np.ndarray:
    """A panel for each kind of loss, a curve for each scale: uint8 `[H, width, 3]`.

    Args:
        records: of the ticks: `step` and losses, such as `generator_loss_64`.
        width: pixels.

    Raises:
        UserError: matplotlib is missing.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError("curves need matplotlib: pip install -c constraints.txt -e '.[figures]'") from error
    names = sorted({name for record in records for name in record}, key=lambda name: (len(name), name))
    panels = {curve: [name for name in names if name.startswith(curve)] for curve in _CURVES}
    panels = {curve: found for curve, found in panels.items() if found}
    figure = Figure((width / _INCH, 2.6), dpi=_INCH, layout='constrained')
    axes = figure.subplots(1, max(1, len(panels)), squeeze=False)[0, : len(panels)]
    for axis, (curve, found) in zip(axes, panels.items(), strict=True):
        for name in found:
            points = [(record['step'], record[name]) for record in records if name in record]
            axis.plot(*zip(*points, strict=True), label=name.removeprefix(curve).removeprefix('_'), linewidth=1)
        axis.set_title(curve.replace('_', ' ').replace('kl', 'KL'), fontsize=10)
        axis.set_xlabel('step', fontsize=9)
        axis.tick_params(labelsize=8)
        if len(found) > 1:
            axis.legend(title='pixels', fontsize=8, title_fontsize=8)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :width, :3].copy()
