r"""Draws a figure of the paper's kinds from trained models: tools/figures.py NAME --output=FILE.

python tools/figures.py samples --caption="a small red bird with a black crown" --every_size --output=samples.png
python tools/figures.py interpolation --caption="a red bird" --caption="a blue bird" --output=interpolation.png

Names: samples (captions, scales, several models), fixed_noise, interpolation (between two captions), walk (through
noise), tsne (a map of thousands of images), neighbors (nearest training images), failures (worst by the discriminator),
history (of a training).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

if TYPE_CHECKING:
    from stackgan_tf.data.example_source import ExampleSource
    from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
    from stackgan_tf.generator import Generator

_MODEL = flags.DEFINE_multi_string(
    'model', [], 'A run, an export, preset:NAME or a TF Hub handle; for "samples" repeatable. By default a preset.'
)
_CAPTION = flags.DEFINE_multi_string('caption', [], 'A caption, or a class of a model of classes; repeatable.')
_SEED = flags.DEFINE_integer('seed', 0, 'The first seed.', 0, 2**62)
_COUNT = flags.DEFINE_integer('count', None, 'Images in a row; of a walk, its stops. By default 6.', 1, 100)
_EVERY_SIZE = flags.DEFINE_bool('every_size', False, 'A row for every scale.')
_STEPS = flags.DEFINE_integer('steps', None, 'Images between captions (6) or frames between stops (12).', 2, 1000)
_TILE = flags.DEFINE_integer('tile', None, 'The size of an image in the figure, pixels; by default 128.', 8, 1024)
_DATA = flags.DEFINE_string('data', None, 'The data set, or the run with the data, of captions and training images.')
_SPLIT = flags.DEFINE_string('split', 'test', 'The split of the captions; training images are of "train".')
_IMAGES = flags.DEFINE_integer(
    'images', None, 'Images on the map (5,000), that are scored (1,000), or training images (10,000).', 1, 1_000_000
)
_FEATURES = flags.DEFINE_string(
    'features', None, "What compares images, as for evaluation; by default the model's own discriminator."
)
_OUTPUT = flags.DEFINE_string('output', None, 'The figure: .png or, smaller, .webp; a walk: .gif or .webp.')
_ROWS = 3  # captions in a history


class Figure(NamedTuple):
    """A figure: what draws it, the flags that it reads, and the ends of its file's name."""

    draw: Callable[[Path], str]
    flags: tuple[flags.FlagHolder, ...]
    moving: bool = False


def _seeds(count: int = 6) -> list[int]:
    return list(range(_SEED.value, _SEED.value + (_COUNT.value or count)))


def _models() -> dict[str, 'Generator']:
    """The models of the flags, by name."""
    from stackgan_tf.loading import load
    from stackgan_tf.preset_files import source_or_default

    sources = [source_or_default(each) for each in _MODEL.value or [None]]
    if len(set(sources)) < len(sources):
        raise UserError('--model names the same model twice')
    return {source: load(source) for source in sources}


def _model() -> 'Generator':
    """The only model.

    Raises:
        UserError: there are several.
    """
    if len(_MODEL.value) > 1:
        raise UserError('this figure is of one model: name one --model, or draw "samples" of several')
    return next(iter(_models().values()))


def _embeddings(model: 'Generator') -> np.ndarray | None:
    """The embeddings of the captions of the flags; None for an unconditional model.

    Raises:
        UserError: the model reads no captions, or needs some.
    """
    if model.kind == 'unconditional':
        if _CAPTION.value:
            raise UserError(f'{model.title} was trained without captions: leave out --caption')
        return None
    if not _CAPTION.value:
        raise UserError(f'{model.title} needs a condition: add --caption="a small red bird with a black crown"')
    for warning in model.caption_warnings(_CAPTION.value) if model.kind == 'text' else ():
        say(warning)
    return model.embed(_CAPTION.value)


def _write_grid(path: Path, rows: list, note: str, columns: list[str] | None = None) -> None:
    from stackgan_tf.figures.image_files import write_figure
    from stackgan_tf.figures.labeled_grid import TILE, labeled_grid

    write_figure(path, labeled_grid(rows, columns or [], note, _TILE.value or TILE))


def _samples(path: Path) -> str:
    from stackgan_tf.figures.samples import sample_rows

    models = {name: (model, _embeddings(model)) for name, model in _models().items()}
    if len({embeddings is None for _, embeddings in models.values()}) > 1:
        raise UserError('conditional and unconditional models do not share a figure')
    seeds = _seeds()
    rows = sample_rows(models, _CAPTION.value, seeds, _EVERY_SIZE.value)
    note = f'Models: {"; ".join(model.title for model, _ in models.values())}. Not selected.'
    _write_grid(path, rows, note, [f'seed {seed}' for seed in seeds])
    return note


def _fixed_noise(path: Path) -> str:
    from stackgan_tf.figures.fixed_noise import fixed_noise_rows

    model, seeds = _model(), _seeds()
    rows = fixed_noise_rows(model, _CAPTION.value, _embeddings(model), seeds)
    note = f'Model: {model.title}. The fixed noise is that of seed {seeds[0]}; the other, of the seed above the column.'
    _write_grid(path, rows, note, [f'seed {seed}' for seed in seeds])
    return note


def _interpolation(path: Path) -> str:
    from stackgan_tf.figures.interpolation import caption_rows

    model, steps = _model(), _STEPS.value or 6
    embeddings = _embeddings(model)
    if embeddings is None or len(embeddings) != 2:
        raise UserError('an interpolation is between two conditions: name two with --caption')
    rows = caption_rows(model, embeddings, _seeds(2), steps)
    note = f'Left: {_CAPTION.value[0]}. Right: {_CAPTION.value[1]}. Model: {model.title}; conditioning noise 0.'
    _write_grid(path, rows, note, [f'{100 * step / (steps - 1):.0f} %' for step in range(steps)])
    return note


def _walk(path: Path) -> str:
    from stackgan_tf.figures.image_files import write_animation
    from stackgan_tf.figures.interpolation import walk_images
    from stackgan_tf.figures.labeled_grid import TILE, labeled_grid

    model, seeds = _model(), _seeds()
    frames = walk_images(model, _embeddings(model), seeds, _STEPS.value or 12)
    note = f'Model: {model.title}; from seed {seeds[0]} to {seeds[-1]} and back.'
    labels = _CAPTION.value or ['noise alone']
    tile = _TILE.value or TILE
    write_animation(
        path,
        [
            labeled_grid([(label, image[None]) for label, image in zip(labels, frame, strict=True)], (), '', tile)
            for frame in frames
        ],
    )
    return note


def _source() -> 'ExampleSource | None':
    """The data set of the conditions, if one is named."""
    from stackgan_tf.commands.evaluators import load_reference

    return None if _DATA.value is None else load_reference(_DATA.value, _SPLIT.value)


def _source_name() -> str:
    from stackgan_tf.preset_files import DEFAULT, PREFIX

    return _MODEL.value[0] if _MODEL.value else PREFIX + DEFAULT


def _extractor() -> 'FeatureExtractor':
    from stackgan_tf.commands.evaluators import load_features

    return load_features(_FEATURES.value or f'discriminator:{_source_name()}')


def _tsne(path: Path) -> str:
    from stackgan_tf.commands.data_figures import tsne_figure
    from stackgan_tf.figures.image_files import write_figure

    image, note = tsne_figure(_model(), _source(), _extractor(), _IMAGES.value or 5000, _SEED.value)
    write_figure(path, image)
    return note


def _neighbors(path: Path) -> str:
    from stackgan_tf.commands.data_figures import neighbor_figure
    from stackgan_tf.commands.evaluators import load_reference
    from stackgan_tf.figures.image_files import write_figure
    from stackgan_tf.figures.labeled_grid import TILE

    if _DATA.value is None:
        raise UserError('name the data set of the training images with --data')
    training, tile = load_reference(_DATA.value, 'train'), _TILE.value or TILE
    counts = _COUNT.value or 6, _IMAGES.value or 10_000, 5
    image, note = neighbor_figure(_model(), _source(), training, _extractor(), *counts, _SEED.value, tile)
    write_figure(path, image)
    return note


def _failures(path: Path) -> str:
    from stackgan_tf.commands.data_figures import failures_of
    from stackgan_tf.figures.image_files import write_figure
    from stackgan_tf.figures.labeled_grid import TILE

    counts = _IMAGES.value or 1000, _COUNT.value or 6
    image, note = failures_of(_model(), _source_name(), _source(), *counts, _SEED.value, _TILE.value or TILE)
    write_figure(path, image)
    return note


def _history(path: Path) -> str:
    from stackgan_tf.figures.history import history_figure
    from stackgan_tf.figures.image_files import write_figure
    from stackgan_tf.loading import phases_of

    if len(_MODEL.value) != 1:
        raise UserError('a history is of a run: name one with --model')
    folder = Path(_MODEL.value[0]) / phases_of(Path(_MODEL.value[0]))[-1]
    write_figure(path, history_figure(folder, _COUNT.value or 6, _ROWS, _TILE.value or 128))
    return f'The training of {folder}'


FIGURES = {
    'samples': Figure(_samples, (_MODEL, _CAPTION, _SEED, _COUNT, _EVERY_SIZE, _TILE)),
    'fixed_noise': Figure(_fixed_noise, (_MODEL, _CAPTION, _SEED, _COUNT, _TILE)),
    'interpolation': Figure(_interpolation, (_MODEL, _CAPTION, _SEED, _COUNT, _STEPS, _TILE)),
    'walk': Figure(_walk, (_MODEL, _CAPTION, _SEED, _COUNT, _STEPS, _TILE), moving=True),
    'tsne': Figure(_tsne, (_MODEL, _SEED, _DATA, _SPLIT, _IMAGES, _FEATURES)),
    'neighbors': Figure(_neighbors, (_MODEL, _SEED, _COUNT, _DATA, _SPLIT, _IMAGES, _FEATURES, _TILE)),
    'failures': Figure(_failures, (_MODEL, _SEED, _COUNT, _DATA, _SPLIT, _IMAGES, _TILE)),
    'history': Figure(_history, (_MODEL, _COUNT, _TILE)),
}
GROUPS = {
    'Model': [_MODEL, _CAPTION, _SEED],
    'Data': [_DATA, _SPLIT, _IMAGES, _FEATURES],
    'Figure': [_COUNT, _STEPS, _EVERY_SIZE, _TILE, _OUTPUT],
}


def main(words: list[str]) -> None:
    """Draws the figure of the argument.

    Raises:
        UserError: there is no such figure, or it does not use a flag that is given.
    """
    from stackgan_tf.figures.image_files import MOVING, STILL, check_suffix
    from stackgan_tf.system.atomic_files import check_writable

    if len(words) != 1 or words[0] not in FIGURES:
        raise UserError(f'name one figure: {", ".join(FIGURES)}')
    figure = FIGURES[words[0]]
    used = {flag.name for flag in (*figure.flags, _OUTPUT)}
    for flag in [each for group in GROUPS.values() for each in group]:
        if flag.present and flag.name not in used:
            raise UserError(f'the figure "{words[0]}" does not use --{flag.name}: leave it out')
    suffixes = MOVING if figure.moving else STILL
    path = Path(_OUTPUT.value or f'{words[0]}{suffixes[0]}')
    check_suffix(path, suffixes)
    check_writable(path)
    said = figure.draw(path)
    say(f'{said}\nThe figure is {path}')


if __name__ == '__main__':
    run_command(main, words=True, flag_groups=GROUPS)
