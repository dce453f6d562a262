"""Prepares the paper's data sets; prints what each needs before, and what was prepared after."""

import shutil
from pathlib import Path

from stackgan_tf.data.published.archives import Archive
from stackgan_tf.data.published.data_sets import PUBLISHED_DATA_SETS, PublishedDataSet
from stackgan_tf.data.tfds_images import find_builder, prepare
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError


def list_data_sets() -> None:
    """Prints the data sets, and which are ready."""
    for data_set in PUBLISHED_DATA_SETS.values():
        state = 'ready' if find_builder(data_set.name).is_prepared() else 'not prepared'
        expected = ', '.join(f'{count:,} {split}' for split, count in data_set.examples.items())
        say(f'{data_set.name:32} {state:13} {data_set.title} ({expected})')


def prepare_published(name: str, manual_dir: str = '', examples: int | None = None) -> Path:
    """Prepares a data set of the paper, if it is not yet.

    Args:
        name: in TensorFlow Datasets.
        manual_dir: the folder with the files that the user downloaded.
        examples: at most this many of each split, for a trial; they are kept in a folder of their own.

    Returns:
        TFDS's data folder with the prepared data set.

    Raises:
        UserError: there is no such data set, something is missing, or the disk is too small.
    """
    data_set = _named(name)
    data_dir = Path(find_builder(name).data_dir_root)
    if examples is not None:
        data_dir /= f'first_{examples}'
    builder = find_builder(name, str(data_dir))
    # Trials and the whole data set share the folder of archives.
    downloads = Path(find_builder(name).data_dir_root) / 'downloads'
    manual_dir = manual_dir or str(downloads / 'manual')
    _describe(data_set, data_dir, manual_dir)
    if builder.is_prepared():
        say('It is prepared already.')
    else:
        _check_space(data_set, data_dir, manual_dir, examples is None)
        prepare(builder, manual_dir, examples, downloads)
    for split, info in builder.info.splits.items():
        paper = f' of {data_set.examples[split]:,} in the paper' if split in data_set.examples else ''
        say(f'{split}: {info.num_examples:,} images{paper}')
    return data_dir


def _named(name: str) -> PublishedDataSet:
    if name in PUBLISHED_DATA_SETS:
        return PUBLISHED_DATA_SETS[name]
    raise UserError(f'no data set {name!r}: there are {", ".join(PUBLISHED_DATA_SETS)}')


def _describe(data_set: PublishedDataSet, data_dir: Path, manual_dir: str) -> None:
    say(f'{data_set.name}: {data_set.title}')
    for archive in data_set.archives:
        say(f'  needs     {archive.name}, {_amount(archive.size)}: {_where(archive, manual_dir)}')
    for by_hand in data_set.by_hand:
        say(f'  needs     {by_hand}')
    say(f'  license   {data_set.license}')
    beforehand = data_set.bytes_beforehand(Path(manual_dir).expanduser())
    first = f' and {_amount(beforehand)} of downloads or unpacked files' if beforehand else ''
    say(f'  takes     about {_amount(data_set.prepared_bytes)}{first} in {data_dir}, about {data_set.minutes:.0f} min')
    say(f'  then      python -m stackgan_tf.train --gin_file={data_set.recipe}')


def _where(archive: Archive, manual_dir: str) -> str:
    found = archive.find(Path(manual_dir).expanduser())
    if found is not None:
        return f'there, {found}'
    return f'will be downloaded from {archive.url}' if archive.url else f'not there, put it into {manual_dir}'


def _check_space(data_set: PublishedDataSet, data_dir: Path, manual_dir: str, whole: bool) -> None:
    """Checks that the disk can hold downloads, unpacked files and the prepared data set."""
    needed = data_set.bytes_beforehand(Path(manual_dir).expanduser()) + data_set.prepared_bytes * whole
    there = next(folder for folder in (data_dir, *data_dir.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise UserError(
            f'{there} has {_amount(free)} free, {data_set.name} takes about {_amount(needed)}: free some space, or set '
            'TFDS_DATA_DIR to another disk'
        )


def _amount(count: int) -> str:
    return f'{count / 1e9:.1f} GB' if count >= 5e7 else f'{count / 1e3:,.0f} kB'
