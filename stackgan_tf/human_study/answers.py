"""Reads what raters exported from the page of a study."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from stackgan_tf.human_study.study import Key
from stackgan_tf.system.errors import UserError


class Ranks(NamedTuple):
    """The ranks that raters gave.

    Attributes:
        raters: R names.
        ranks: float `[R, T, K]` of each rater, trial and model, 1 the best; equally good models share the mean of their
            ranks; NaN where a rater did not rank a trial.
    """

    raters: tuple[str, ...]
    ranks: np.ndarray


def read_answers(files: Sequence[Path], key: Key) -> Ranks:
    """Reads files of answers.

    Raises:
        UserError: there are none, a file is not one of this study, or a rater is in two.
    """
    if not files:
        raise UserError('name the files that raters exported: answers_*.json')
    found: dict[str, np.ndarray] = {}
    for file in files:
        rater, ranks = _read(file, key)
        if rater in found:
            raise UserError(f'{file} is a second file of rater {rater}: leave one out')
        found[rater] = ranks
    return Ranks(tuple(found), np.stack(list(found.values())))


def _read(file: Path, key: Key) -> tuple[str, np.ndarray]:
    try:
        read = json.loads(file.read_text(encoding='utf-8'))
        study, rater, given = read['study'], str(read['rater']), dict(read['ranks'])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f'{file} is not a file of answers') from error
    if study != key.study:
        raise UserError(f'{file} is of another study ({study}, not {key.study})')
    ranks = np.full((len(key.captions), len(key.models)), np.nan)
    for trial, places in given.items():
        order = _order(trial, key)
        if order is None or not _is_ranking(places, len(order)):
            raise UserError(f'{file} has no ranking of the images of trial {trial!r}')
        ranks[int(trial), list(order)] = rankdata(places)
    return rater, ranks


def _order(trial: str, key: Key) -> tuple[int, ...] | None:
    return key.orders[int(trial)] if trial.isdecimal() and int(trial) < len(key.orders) else None


def _is_ranking(places: Any, count: int) -> bool:
    return (
        isinstance(places, list)
        and len(places) == count
        and all(type(each) is int and 1 <= each <= count for each in places)
    )
