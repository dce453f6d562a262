"""tools/reproduce.py: its table, and that finished runs are skipped. No command runs here."""

import json
from pathlib import Path

import pytest

from stackgan_tf.system.errors import UserError

TOOLS = Path(__file__).parents[2] / 'tools'
pytestmark = pytest.mark.skipif(not TOOLS.exists(), reason='needs the source tree')


@pytest.fixture
def table_five(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import table_five

    return table_five


@pytest.fixture
def ran(table_five, monkeypatch):
    """The commands that ran; `evaluate` writes a report."""
    ran = []

    def command(name, *flags):
        values = dict(flag.removeprefix('--').split('=', 1) for flag in flags if '=' in flag)
        ran.append((name, values.get('workdir') or values['model']))
        if name == 'evaluate':
            metrics = {'caption_consistency': {'value': 0.5}, 'fid': {'value': 30.0}}
            Path(values['output']).write_text(json.dumps({'metrics': metrics}))
        if name == 'export':
            Path(values['output']).mkdir(parents=True)

    monkeypatch.setattr(table_five, 'command', command)
    return ran


def test_finished_runs_are_skipped(table_five, ran, tmp_path):
    def reproduce(seeds):
        ran.clear()
        text = table_five.Experiment(tmp_path, seeds, ['STEPS = 20'], 10).reproduce()
        return text, len([name for name, _ in ran if name == 'evaluate'])

    text, scored = reproduce(2)
    assert scored == 2 * len(table_five.ROWS)
    assert len({workdir for _, workdir in ran}) == scored + 3  # plus the classifier and two text encoders
    assert [name for name, _ in ran].count('export') == 2
    assert '| 0.500 ± 0.000 | 30.00 ± 0.00 |' in text
    assert (tmp_path / 'table_5.md').read_text() == text
    assert reproduce(2) == (text, 0)
    (tmp_path / 'scores' / 'painted_birds_g3_1.json').unlink()
    assert reproduce(2) == (text, 1)
    assert reproduce(3)[1] == len(table_five.ROWS)


def test_another_budget_needs_another_folder(table_five, ran, tmp_path):
    table_five.Experiment(tmp_path, 1, ['STEPS = 20'], 10).reproduce()
    with pytest.raises(
        UserError, match=r"started with settings = \['STEPS = 20'\], now it is \[\]: name another --out"
    ):
        table_five.Experiment(tmp_path, 1, [], 10).reproduce()


def test_another_recipe_needs_another_folder(table_five, ran, tmp_path):
    table_five.Experiment(tmp_path, 1, [], 10).reproduce()
    saved = tmp_path / 'experiment.json'
    saved.write_text(saved.read_text().replace('Conditioning.kl_weight = 3.0', 'Conditioning.kl_weight = 2.5'))
    with pytest.raises(UserError, match=r'was started with another gin/quickstart\.gin: name another --out'):
        table_five.Experiment(tmp_path, 1, [], 10).reproduce()


def test_the_table_and_its_order(table_five):
    places = {row.name: place for place, row in enumerate(table_five.ROWS)}
    scores = {
        name: [{'caption_consistency': 0.9 - place / 10 + noise, 'fid': 20.0 - place} for noise in (-0.01, 0.01)]
        for name, place in places.items()
    }
    text = table_five.table(scores)
    assert '| StackGAN-v2 | 0.900 ± 0.014 | 20.00 ± 0.00 | 4.04 |' in text
    assert '| 3G3 | 0.500 ± 0.014 | 16.00 ± 0.00 |  |' in text
    assert "by caption consistency: StackGAN-v2, no-JCU, G3, all64: the paper's order." in text
    assert "by FID: all64, G3, no-JCU, StackGAN-v2: not the paper's order (StackGAN-v2, no-JCU, G3, all64)." in text


def test_every_row_has_its_recipe(table_five):
    assert all((TOOLS.parent / row.recipe).is_file() for row in table_five.ROWS)


def test_a_failed_command_is_reported_in_one_line(table_five):
    with pytest.raises(UserError, match='train failed with status 2; the same command resumes it'):
        table_five.command('train', '--no_such_flag')
