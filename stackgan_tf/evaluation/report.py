"""Evaluation reports: a table for people, and JSON in which every score has its protocol."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from stackgan_tf.evaluation.evaluate_model import Measurement
from stackgan_tf.metrics.score import Score


def table(measurement: Measurement) -> str:
    """A table of scores, with notes on the protocol of each, then warnings."""
    notes: dict[str, int] = {}
    lines = []
    for name, score in measurement.scores.items():
        marks = [notes.setdefault(part, len(notes) + 1) for part in score.protocol.split('; ')]
        lines.append(f'{_line(name, score):<92} {"".join(f"[{mark}]" for mark in marks)}')
    lines += ['', *(f'[{mark}] {part}' for part, mark in notes.items())]
    lines += [f'Warning: {warning}' for warning in measurement.warnings]
    return '\n'.join(lines)


def _line(name: str, score: Score) -> str:
    spread = '' if score.spread is None else f'+- {_digits(score.spread)} ({score.spread_is})'
    return f'{name:<34} {_digits(score.value):>8} {spread}'


def _digits(value: float) -> str:
    """A number with four significant digits, with three to six decimal places."""
    places = 3 if value == 0 else min(6, max(3, 3 - math.floor(math.log10(abs(value)))))
    return f'{value:.{places}f}'


def report(measurement: Measurement, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The report as JSON: `metrics`, each with value, spread, count and protocol; `warnings`; and the settings."""
    metrics = {name: dataclasses.asdict(score) for name, score in measurement.scores.items()}
    return {'metrics': metrics, 'warnings': measurement.warnings, **settings}
