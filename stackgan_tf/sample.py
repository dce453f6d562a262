r"""Writes generated pictures: one PNG for each seed and a grid of them all.

python -m stackgan_tf.sample --model=runs/quickstart --count=64 --output=pictures
"""

from pathlib import Path

from absl import flags

from stackgan_tf.command_line import run_command
from stackgan_tf.user_error import UserError

_MODEL = flags.DEFINE_string('model', None, 'A run directory, an exported model, or a TF Hub handle.', required=True)
_OUTPUT = flags.DEFINE_string('output', 'pictures', 'The folder for the pictures.')
_COUNT = flags.DEFINE_integer('count', 16, 'How many pictures, of the seeds from --seed on.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'The first seed.')
_SEEDS = flags.DEFINE_string('seeds', None, 'Instead of --count and --seed, the seeds, such as 0-15,40,42.')
_EVERY_SIZE = flags.DEFINE_bool('every_size', False, 'Write every scale of the tree, not only the largest.')
_COLUMNS = flags.DEFINE_integer(
    'columns', None, 'Pictures in a row of the grid; by default as square as possible.', lower_bound=1
)


def parse_seeds(text: str) -> list[int]:
    """Reads a list such as `0-3,7` as 0, 1, 2, 3, 7.

    Raises:
        UserError: it is none.
    """
    seeds: list[int] = []
    for part in text.split(','):
        first, _, last = part.strip().partition('-')
        if not first.isdigit() or (last and not last.isdigit()) or not int(first) <= int(last or first) < 2**63:
            raise UserError(f'--seeds={text} cannot be read at {part!r}: write for example 0-15,40,42')
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def main() -> None:
    """Generates and writes what the flags say."""
    from stackgan_tf.figures.image_grid import image_grid, write_png
    from stackgan_tf.loading import load

    seeds = parse_seeds(_SEEDS.value) if _SEEDS.value else list(range(_SEED.value, _SEED.value + _COUNT.value))
    model = load(_MODEL.value)
    images = model.generate_every_size(seeds)
    output = Path(_OUTPUT.value)
    for size in model.sizes if _EVERY_SIZE.value else model.sizes[-1:]:
        suffix = f'_{size}' if _EVERY_SIZE.value else ''
        for seed, image in zip(seeds, images[size], strict=True):
            write_png(output / f'seed_{seed:06d}{suffix}.png', image)
        write_png(output / f'grid{suffix}.png', image_grid(images[size], _COLUMNS.value))
    print(f'{len(seeds)} picture(s) and their grid are in {output}')


if __name__ == '__main__':
    run_command(main)
