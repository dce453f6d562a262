"""Reports of measurements: prints rows, and compares two files of rows."""

import json
from pathlib import Path
from typing import Any

from stackgan_tf.system.errors import UserError


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Prints a line for each row."""
    for row in rows:
        low, high = row['times_the_first_range']
        rest = f'{row["memory_mib"] / 1024:.1f} GB' if row['memory_mib'] else ''
        hours = f'{row["hours_of_schedule"]:,.1f} h for the schedule' if row['hours_of_schedule'] else ''
        print(
            f'{row["subject"]} {row["recipe"]}, {row["form"]}: batch {row["batch"]}, '
            f'{row["images_per_second"]:.2f} images/s (fastest {row["fastest_images_per_second"]:.2f}), '
            f'{row["gflop_per_image"]:.1f} GFLOP per image, {row["share_of_peak"]:.0%} of {row["peak_gflops"]:.0f} '
            f'GFLOP/s, {row["times_the_first"]:.2f} times the first form ({low:.2f} to {high:.2f})',
            *filter(None, (rest, hours)),
            sep=', ',
        )
        if row['operator_times']:
            print('   ', ', '.join(f'{kind} {share:.0%}' for kind, share in row['operator_times']))


def compare_files(before: Path, after: Path) -> None:
    """Prints the speedup of the rows of one file over the same rows of another.

    Raises:
        UserError: a file cannot be read, or the files have no row in common.
    """
    old, new = (_read(path) for path in (before, after))
    if old['machine'] != new['machine']:
        print('The machines or versions differ: the ratios include this difference.')
    rows = {_key(row): row for row in old['rows']}
    common = [(rows[_key(row)], row) for row in new['rows'] if _key(row) in rows]
    if not common:
        raise UserError(f'{before} and {after} have no measurement in common')
    for was, now in common:
        ratio = now['images_per_second'] / was['images_per_second']
        print(
            f'{now["subject"]} {now["recipe"]}, {now["form"]}: {was["images_per_second"]:.2f} to '
            f'{now["images_per_second"]:.2f} images/s, {ratio:.2f} times'
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        return {'machine': content['machine'], 'rows': content['rows']}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f'{path} cannot be read as a file of --json: {error}') from error


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row['subject'], row['recipe'], tuple(row['settings']), row['form'], row['batch']
