r"""Writes generated images as PNG files, and a grid of all; models of two sizes have both in the grid.

python -m stackgan_tf.sample --caption="a small red bird with a black crown"
python -m stackgan_tf.sample --model=runs/quickstart --caption="a small red bird with a black crown"
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags
from tqdm import tqdm

from stackgan_tf.formats.numpy_files import read_array
from stackgan_tf.system.atomic_files import check_writable
from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.whole_numbers import whole_number

MOST_IMAGES = 1_000_000  # of a call; their names are in memory

_MODEL = flags.DEFINE_string(
    'model',
    None,
    'A run directory, an exported model, preset:NAME or a TF Hub handle; by default preset:painted_birds.',
)
_CHECKPOINT = flags.DEFINE_string(
    'checkpoint', 'newest', 'For a run: newest, best (if its recipe scores it) or a step.'
)
_OUTPUT = flags.DEFINE_string('output', 'generated', 'The folder for the images.')
_CAPTION = flags.DEFINE_multi_string('caption', [], 'A caption; may be repeated.')
_LABEL = flags.DEFINE_multi_string('label', [], 'A class, by its name or number; may be repeated.')
_CAPTIONS_FILE = flags.DEFINE_string('captions_file', None, 'A text file (UTF-8) with a caption on each line.')
_EMBEDDINGS = flags.DEFINE_string(
    'embeddings', None, 'For a model that reads embeddings: a .npy file of floats [N, T].'
)
_COUNT = flags.DEFINE_integer(
    'count',
    None,
    'Number of images (per caption, class or embedding); by default 8, without a condition 16.',
    1,
    MOST_IMAGES,
)
_SEED = flags.DEFINE_integer(
    'seed', 0, 'The seed of the first image; the next ones follow.', lower_bound=0, upper_bound=2**62
)
_SEEDS = flags.DEFINE_string('seeds', None, 'Instead of --count and --seed, the seeds, such as 0-15,40,42.')
_EVERY_SIZE = flags.DEFINE_bool('every_size', False, 'Write the images of every size, not only the largest.')
_COLUMNS = flags.DEFINE_integer(
    'columns', None, 'Without captions: images in a row of the grid; by default as square as possible.', lower_bound=1
)
_BLOCK = 64  # images that are generated before they are written
_SHOWN = 60  # characters of a flag in a message
_GRID = 1024  # largest number of images in a grid


def parse_seeds(text: str) -> list[int]:
    """Parses a list such as `0-3,7` as 0, 1, 2, 3, 7.

    Raises:
        UserError: the text is not such a list, or has more than `MOST_IMAGES` seeds.
    """
    seeds: list[int] = []
    for part in text.split(','):
        first, _, last = part.strip().partition('-')
        start, end = whole_number(first), whole_number(last or first)
        if start is None or end is None or end < start:
            raise UserError(f'--seeds={_short(text)} cannot be read at {_short(part)!r}: write for example 0-15,40,42')
        if len(seeds) + end - start >= MOST_IMAGES:
            raise UserError(f'--seeds={_short(text)} names more than {MOST_IMAGES:,} seeds: name fewer')
        seeds += range(start, end + 1)
    return seeds


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f'{text[:_SHOWN]} ...'


def read_captions(given: Sequence[str], file: str | None) -> list[str]:
    """The captions of the flags; empty lines of the file are skipped.

    Raises:
        UserError: the file cannot be read or has no captions, or a caption is not UTF-8 text.
    """
    for caption in given:
        if caption != caption.encode('utf-8', 'replace').decode():
            raise UserError(f'--caption={caption!a} is not UTF-8 text')
    if file is None:
        return list(given)
    try:
        lines = Path(file).read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or 'it is not UTF-8 text'
        raise UserError(f'--captions_file={file} cannot be read: {reason}') from error
    captions = [line.strip() for line in lines if line.strip()]
    if not captions:
        raise UserError(f'--captions_file={file} has no captions: write one on each line')
    return [*given, *captions]


def read_embeddings(file: str, dimension: int) -> np.ndarray:
    """The embeddings of the flag, float32 `[N, T]`.

    Args:
        file: the value of the flag.
        dimension: T of the model; 0 if it reads no embeddings.

    Raises:
        UserError: the file cannot be read, or holds something else.
    """
    if not dimension:
        raise UserError('this model reads no embeddings: leave out --embeddings')
    try:
        with open(file, 'rb') as opened:
            embeddings = read_array(opened, os.fstat(opened.fileno()).st_size)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, 'strerror', None) or 'it is not a .npy file of numbers'
        raise UserError(f'--embeddings={file} cannot be read: {reason}') from error
    if embeddings.shape[1:] != (dimension,) or not len(embeddings):
        raise UserError(f'--embeddings={file} does not hold numbers [N, {dimension}], which this model reads')
    return embeddings.astype(np.float32)


def conditions_of(captions: Sequence[str], labels: Sequence[str], kind: str, class_names: Sequence[str]) -> list[str]:
    """The captions or class names that condition the images; empty for an unconditional model.

    Raises:
        UserError: the model does not read these conditions, or needs others.
    """
    if kind == 'embedding':
        raise UserError('this model was trained on embeddings and has no text encoder: add --embeddings=FILE.npy')
    if kind != 'text' and captions:
        raise UserError('this model was trained without captions: leave out --caption and --captions_file')
    if kind != 'class' and labels:
        raise UserError('this model was trained without classes: leave out --label')
    if kind == 'text' and not captions:
        raise UserError('this model generates from captions: add --caption="a small red bird with a black crown"')
    if kind == 'class' and not labels:
        raise UserError(f'this model generates from classes: add --label="{class_names[0]}"')
    return [*captions, *labels]


def main() -> None:
    """Generates and writes the images of the flags."""
    from stackgan_tf.figures.caption_grid import caption_grid
    from stackgan_tf.figures.image_grid import image_grid, sketches_above, write_png
    from stackgan_tf.loading import load
    from stackgan_tf.preset_files import source_or_default

    captions = read_captions(_CAPTION.value, _CAPTIONS_FILE.value)
    count = _COUNT.value or (8 if captions or _LABEL.value or _EMBEDDINGS.value else 16)
    seeds = parse_seeds(_SEEDS.value) if _SEEDS.value else list(range(_SEED.value, _SEED.value + count))
    output = Path(_OUTPUT.value)
    check_writable(output / 'grid.png')
    model = load(source_or_default(_MODEL.value), _CHECKPOINT.value)
    kind, embeddings = 'embedding', None
    if _EMBEDDINGS.value is not None:
        if captions or _LABEL.value:
            raise UserError('--embeddings replaces captions and classes: leave those out')
        embeddings = read_embeddings(_EMBEDDINGS.value, model.embedding_dimension)
        conditions = [f'embedding {row}' for row in range(len(embeddings))]
    elif conditions := conditions_of(captions, _LABEL.value, model.kind, model.class_names):
        for warning in model.caption_warnings(captions):
            say(warning)
        kind, embeddings = 'caption' if captions else 'class', model.embed(conditions)
    if embeddings is not None:
        names = [f'{kind}_{row:03d}_seed_{seed:06d}' for row in range(len(conditions)) for seed in seeds]
        if kind == 'class':
            conditions = [model.class_names[label] for label in embeddings.argmax(axis=1)]
    else:
        names = [f'seed_{seed:06d}' for seed in seeds]
    if len(names) > MOST_IMAGES:
        raise UserError(f'{len(names):,} images are too many for a call: name fewer captions or seeds')
    # With many captions, the grid has the whole rows of the first ones.
    conditions = conditions[: max(1, _GRID // len(seeds))]
    in_grid = min(len(conditions or [None]) * len(seeds), _GRID)
    suffixes = {size: f'_{size}' if _EVERY_SIZE.value else '' for size in model.sizes}
    written = model.sizes if _EVERY_SIZE.value else model.sizes[-1:]
    kept: dict[int, list[np.ndarray]] = {size: [] for size in model.sizes}
    with tqdm(total=len(names), unit=' images', mininterval=1, leave=False, disable=len(names) <= _BLOCK) as bar:
        for first in range(0, len(names), _BLOCK):
            rows = np.arange(first, min(first + _BLOCK, len(names)))
            condition_rows = None if embeddings is None else embeddings[rows // len(seeds)]
            images = model.generate_every_size([seeds[row] for row in rows % len(seeds)], condition_rows)
            for size in model.sizes:
                kept[size] += list(images[size][: max(0, in_grid - first)])
            for size in written:
                for row, image in zip(rows, images[size], strict=True):
                    write_png(output / f'{names[row]}{suffixes[size]}.png', image)
            bar.update(len(rows))
    for size in written:
        # With two sizes, the grid of the larger one has both: Stage-I above Stage-II.
        both = size == model.sizes[-1] and len(model.sizes) == 2
        tiles = sketches_above({each: np.stack(kept[each]) for each in model.sizes}) if both else np.stack(kept[size])
        grid = caption_grid(conditions, tiles) if conditions else image_grid(tiles, _COLUMNS.value)
        write_png(output / f'grid{suffixes[size]}.png', grid)
    of_first = '' if in_grid == len(names) else f' of the first {in_grid}'
    say(f'{len(names)} image(s) and their grid{of_first} are in {output}')


if __name__ == '__main__':
    groups = {
        'Model': [_MODEL, _CHECKPOINT],
        'Condition': [_CAPTION, _CAPTIONS_FILE, _LABEL, _EMBEDDINGS],
        'Noise': [_COUNT, _SEED, _SEEDS],
        'Output': [_OUTPUT, _EVERY_SIZE, _COLUMNS],
    }
    run_command(main, flag_groups=groups)
