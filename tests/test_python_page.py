"""docs/python.md runs as it stands."""

import json
import re
import sys
from pathlib import Path

import pytest
from command_runs import run_process

PAGE = Path(__file__).parents[1] / 'docs' / 'python.md'


@pytest.mark.skipif(not PAGE.exists(), reason='needs the source tree')
def test_the_page_trains_samples_and_exports(tmp_path):
    (code,) = re.findall(r'```python\n(.*?)```', PAGE.read_text(encoding='utf-8'), re.DOTALL)
    after = '\nimport json; print(json.dumps([history.history, samples.reshape(2, -1, 3).mean(1).tolist()]))\n'
    result = run_process([sys.executable, '-c', code + after], tmp_path)
    assert result.returncode == 0, result.stderr
    *_, shape, last = result.stdout.splitlines()
    assert shape == '(1, 16, 16, 3)'
    history, (red, blue) = json.loads(last)
    assert len(history['generator_loss_16']) == 4
    assert {'discriminator_loss_8', 'kl_loss', 'color_loss', 'confidence_real_16'} <= history.keys()
    assert red[0] - red[2] > 20 + blue[0] - blue[2]  # the red square is redder than the blue one
    assert (tmp_path / 'losses.csv').read_text().count('\n') == 5
