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
    after = """
import json
drawn = {color: generator.generate([f'a {color} square'] * 8, seed=0) for color in ('red', 'blue')}
print(json.dumps([history.history, *(images.reshape(-1, 3).mean(0).tolist() for images in drawn.values())]))
"""
    result = run_process([sys.executable, '-c', code + after], tmp_path)
    assert result.returncode == 0, result.stderr
    *_, shape, last = result.stdout.splitlines()
    assert shape == '(1, 16, 16, 3)'
    history, red, blue = json.loads(last)
    assert len(history['generator_loss_16']) == 4
    assert {'discriminator_loss_8', 'kl_loss', 'color_loss', 'confidence_real_16'} <= history.keys()
    assert red[0] - red[2] > 20 + blue[0] - blue[2]  # red squares are redder than blue ones
    assert (tmp_path / 'losses.csv').read_text().count('\n') == 5
