"""Scores of a human study, against an example by hand and SciPy's Friedman test."""

import json

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, rankdata

from stackgan_tf.human_study.answers import read_answers
from stackgan_tf.human_study.report import report, table
from stackgan_tf.human_study.scoring import agreement, kendall_w, mean_ranks
from stackgan_tf.human_study.study import Key
from stackgan_tf.system.errors import UserError

# Two captions, three models, whose images stand in other orders on the page.
KEY = Key('abc', ('A', 'B', 'C'), ('first', 'second'), ((2, 0, 1), (0, 1, 2)))
# By model, caption 1: (1, 2, 3), (1, 3, 2) and, B and C equally good, (1, 2.5, 2.5). Caption 2: twice (2, 1, 3).
ANSWERS = {
    'one': {'0': [3, 1, 2], '1': [2, 1, 3]},
    'two': {'0': [2, 1, 3], '1': [2, 1, 3]},
    'three': {'0': [2, 1, 2]},
}


def write(folder, rater, ranks, study='abc'):
    file = folder / f'answers_{rater}.json'
    file.write_text(json.dumps({'study': study, 'rater': rater, 'ranks': ranks}))
    return file


@pytest.fixture
def files(tmp_path):
    return [write(tmp_path, rater, ranks) for rater, ranks in ANSWERS.items()]


def test_the_example_by_hand(files):
    scores = report(read_answers(files, KEY), KEY, seed=0)
    # A: (1 + 1 + 1 + 2 + 2) / 5, B: (2 + 3 + 2.5 + 1 + 1) / 5, C: (3 + 2 + 2.5 + 3 + 3) / 5.
    values = {model: each['value'] for model, each in scores['mean_ranks'].items()}
    assert values == pytest.approx({'A': 1.4, 'B': 1.9, 'C': 2.7})
    # Caption 1: sums 3, 7.5, 7.5, S = 13.5, W = 12 * 13.5 / (9 * 24 - 3 * 6) = 162 / 198. Caption 2: W = 1.
    assert scores['kendall_w'] == pytest.approx({'value': (162 / 198 + 1) / 2, 'chance': 5 / 12, 'captions': 2})
    assert (scores['raters'], scores['rankings'], scores['missing']) == (3, 5, {'three': 1})
    text = table(scores)
    assert text.splitlines()[1].split()[:2] == ['A', '1.40']
    assert 'rater three left out 1' in text
    assert "Kendall's W 0.91" in text


@pytest.mark.parametrize('ties', [False, True])
def test_kendall_s_w_is_that_of_friedman_s_test(ties):
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 3, (6, 4)) if ties else rng.random((6, 4))
    ranks = rankdata(scores, axis=1)
    expected = friedmanchisquare(*ranks.T).statistic / (6 * (4 - 1))
    assert kendall_w(ranks) == pytest.approx(expected)


def test_agreement_of_random_ranks_is_that_of_chance():
    rng = np.random.default_rng(0)
    ranks = np.argsort(rng.random((5, 2000, 4)), axis=2) + 1.0
    found = agreement(ranks)
    assert found.chance == pytest.approx(0.2)
    assert found.value == pytest.approx(0.2, abs=0.01)
    assert agreement(np.repeat(ranks[:1], 3, axis=0)).value == pytest.approx(1)


def test_no_agreement_without_two_raters_or_without_a_difference():
    ranks = np.full((2, 2, 3), 2.0)
    ranks[1, 0] = np.nan
    assert agreement(ranks).captions == 0


def test_intervals_cover_the_true_mean_ranks_and_widen_with_fewer_captions():
    rng = np.random.default_rng(1)
    quality = np.array([0.0, 0.3, 0.6])

    def draw(captions):
        return rankdata(quality + rng.normal(size=(6, captions, 3)), axis=2)

    truth = draw(20_000).mean(axis=(0, 1))
    covered, widths = [], []
    for _ in range(20):
        found = mean_ranks(draw(30), 0)
        covered.append((found.low <= truth) & (truth <= found.high))
        widths.append(found.high - found.low)
    assert np.mean(covered) > 0.85
    few = mean_ranks(draw(5), 0)
    assert (few.high - few.low).mean() > 1.5 * np.mean(widths)


def test_files_that_cannot_be_scored_are_refused(tmp_path, files):
    with pytest.raises(UserError, match=r'second file of rater one'):
        read_answers([files[0], write(tmp_path / '..', 'one', {})], KEY)
    with pytest.raises(UserError, match='of another study'):
        read_answers([write(tmp_path, 'x', {}, study='other')], KEY)
    for ranks in (
        {'0': [1, 2]},
        {'0': [1, 2, 9]},
        {'0': [1, 2, True]},
        {'2': [1, 2, 3]},
        {'x': [1, 2, 3]},
        {'0': 'abc'},
    ):
        with pytest.raises(UserError, match='has no ranking'):
            read_answers([write(tmp_path, 'x', ranks)], KEY)
    broken = tmp_path / 'broken.json'
    for text in ('', '[]', '{"study": "abc"}', '{"study": "abc", "rater": "r", "ranks": 3}'):
        broken.write_text(text)
        with pytest.raises(UserError, match='is not a file of answers'):
            read_answers([broken], KEY)
    with pytest.raises(UserError, match='rank nothing'):
        report(read_answers([write(tmp_path, 'x', {})], KEY), KEY, seed=0)
    with pytest.raises(UserError, match='name the files'):
        read_answers([], KEY)
