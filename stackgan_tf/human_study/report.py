"""The report on a study, for people and as JSON."""

from typing import Any

import numpy as np

from stackgan_tf.human_study.answers import Ranks
from stackgan_tf.human_study.scoring import agreement, mean_ranks
from stackgan_tf.human_study.study import Key
from stackgan_tf.system.errors import UserError


def report(answers: Ranks, key: Key, seed: int) -> dict[str, Any]:
    """The scores of a study as JSON; what raters left out is counted.

    Raises:
        UserError: nobody ranked anything.
    """
    given = ~np.isnan(answers.ranks[:, :, 0])
    if not given.any():
        raise UserError('these answers rank nothing: raters export after they have ranked')
    scores, agreed = mean_ranks(answers.ranks, seed), agreement(answers.ranks)
    return {
        'study': key.study,
        'raters': len(answers.raters),
        'captions': len(key.captions),
        'rankings': scores.rankings,
        'missing': {
            name: int(count) for name, count in zip(answers.raters, (~given).sum(axis=1), strict=True) if count
        },
        'mean_ranks': {
            model: {'value': float(mean), 'low': float(low), 'high': float(high)}
            for model, mean, low, high in zip(key.models, scores.means, scores.low, scores.high, strict=True)
        },
        'kendall_w': {
            'value': agreed.value if agreed.captions else None,
            'chance': agreed.chance if agreed.captions else None,
            'captions': agreed.captions,
        },
    }


def table(scores: dict[str, Any]) -> str:
    """The report for people: the models by their mean ranks, the best first."""
    ranked = sorted(scores['mean_ranks'].items(), key=lambda item: item[1]['value'])
    width = max(len(model) for model, _ in ranked)
    lines = [f'{"model":<{width}}  mean rank  95 % interval']
    lines += [
        f'{model:<{width}}  {each["value"]:9.2f}  {each["low"]:.2f} to {each["high"]:.2f}' for model, each in ranked
    ]
    lines.append(f'\n{scores["rankings"]} rankings by {scores["raters"]} rater(s) of {scores["captions"]} captions')
    for rater, count in scores['missing'].items():
        lines.append(f'rater {rater} left out {count}')
    agreed = scores['kendall_w']
    if agreed['captions']:
        of_captions = f'mean over {agreed["captions"]} captions with two or more raters'
        lines.append(f"Kendall's W {agreed['value']:.2f} ({of_captions}; {agreed['chance']:.2f} by chance)")
    else:
        lines.append("Kendall's W needs two raters of the same caption, who do not find all images equally good")
    return '\n'.join(lines)
