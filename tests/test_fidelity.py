"""Every row of `docs/fidelity.md` names a test or a recipe that exists."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / 'docs' / 'fidelity.md'
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason='needs the source tree')


def test_every_row_has_evidence():
    text = PAGE.read_text()
    links = dict(re.findall(r'^\[([^\]]+)\]: (.+)$', text, re.MULTILINE))
    compared = text.partition('## Where the paper is in the code')[0]  # the tables after it list files
    rows = [line for line in compared.splitlines() if line.startswith('| ') and not line.endswith(' evidence |')]
    assert len(rows) > 60
    for row in rows:
        evidence = re.findall(r'\[([^\]]+)\]', row.rsplit(' | ', 1)[1])
        assert evidence, row
        for name in evidence:
            assert (PAGE.parent / links[name]).is_file(), row
            assert links[name].startswith(('../tests/', '../gin/')), row
