"""Prepares a data set of the paper from its published files, and writes a grid of some images.

python tools/prepare_dataset.py --list
python tools/prepare_dataset.py cub200_captions --manual_dir=/data/cub
python tools/prepare_dataset.py lsun_scenes/church_outdoor --manual_dir=/data/lsun --max_examples=100
"""

from pathlib import Path

from absl import flags

from stackgan_tf.system.atomic_files import check_writable
from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

_LIST = flags.DEFINE_bool('list', False, 'List the data sets and which are prepared, and do nothing else.')
_MANUAL_DIR = flags.DEFINE_string('manual_dir', '', 'The folder with the files that you downloaded.')
_MAX_EXAMPLES = flags.DEFINE_integer(
    'max_examples', None, 'For a preview: the number of examples of each split, stored separately.', 1, 10**9
)
_OUTPUT = flags.DEFINE_string('output', 'prepared.png', 'The file for a grid of images.')
_GRID = 36  # images
_SIZE = 128  # pixels


def main(names: list[str]) -> None:
    """Prepares the data set of the command line."""
    import tensorflow as tf

    from stackgan_tf.data.published.data_sets import PUBLISHED_DATA_SETS
    from stackgan_tf.data.published.preparation import list_data_sets, prepare_published
    from stackgan_tf.data.tfds_images import TfdsImages
    from stackgan_tf.figures.image_grid import image_grid, write_png

    if _LIST.value:
        list_data_sets()
        return
    if len(names) != 1:
        raise UserError(f'name one data set: {", ".join(PUBLISHED_DATA_SETS)}; --list says which are prepared')
    check_writable(Path(_OUTPUT.value))
    data_dir = prepare_published(names[0], _MANUAL_DIR.value, _MAX_EXAMPLES.value)
    source = TfdsImages(names[0], data_dir=str(data_dir))
    count = min(_GRID, source.count)
    indices = tf.cast(tf.linspace(0, source.count - 1, count), tf.int64)
    write_png(Path(_OUTPUT.value), image_grid(source.crops(indices, tf.fill((count, 2), 0.5), _SIZE).numpy()))
    say(f'A grid of {count} images is in {_OUTPUT.value}.')
    if _MAX_EXAMPLES.value is not None:
        say(f'To train on these few: --gin_param="TfdsImages.data_dir = {str(data_dir)!r}"')


if __name__ == '__main__':
    run_command(main, words=True)
