"""The page of a study in a headless Chromium: ranked by keys, resumed, exported, and scored."""

import json
import time

import chromium
import numpy as np
import pytest

from stackgan_tf.human_study.answers import read_answers
from stackgan_tf.human_study.report import report
from stackgan_tf.human_study.study import KEY, PAGE, build_study, read_key

pytestmark = pytest.mark.skipif(chromium.EXECUTABLE is None, reason='needs Chromium')
CAPTIONS = ['a red </script><b>bird</b> & "more"', 'a blue bird', 'a green bird']
MODELS = ('good', 'middling', 'bad')


@pytest.fixture(scope='module')
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp('studies') / 'study'
    images = {model: np.full((3, 1, 16, 16, 3), 40 * (1 + number), np.uint8) for number, model in enumerate(MODELS)}
    build_study(folder, images, CAPTIONS, seed=1)
    return folder


@pytest.fixture
def page(tmp_path):
    (tmp_path / 'downloads').mkdir()
    with chromium.chromium(tmp_path / 'profile', tmp_path / 'downloads') as page:
        yield page


def letters(order):
    """The key of each model in a trial."""
    return {MODELS[model]: 'abc'[place] for place, model in enumerate(order)}


def downloaded(folder):
    deadline = time.monotonic() + 30
    while not (found := list(folder.glob('answers_*.json'))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found[0]


def test_a_rater_ranks_by_keys_resumes_and_exports(study, page, tmp_path):
    key, index = read_key(study / KEY), study / PAGE / 'index.html'
    page.open(index)
    assert page.evaluate("document.getElementById('caption').textContent") == key.captions[0]
    assert page.evaluate('[...document.images].every(image => image.complete && image.naturalWidth === 16)')

    first, second, third = [letters(order) for order in key.orders]
    page.press(first['bad'], 'Backspace', first['good'], first['middling'])
    page.press('Enter')  # refused: an image has no rank
    assert page.evaluate("document.getElementById('status').textContent") == 'Rank all images first.'
    page.press(first['bad'], 'Enter')
    page.press(second['good'], '=', second['bad'], second['middling'], 'Enter')

    page.open(index.parent / 'index.html')  # another visit
    page.call('Page.reload')
    page.wait_for("document.getElementById('status')?.textContent.startsWith('Sentence 3 of 3, 2 ranked.')")
    page.press('ArrowLeft')
    assert page.evaluate("document.getElementById('caption').textContent") == key.captions[1]
    assert page.evaluate("document.querySelectorAll('#images .ranked').length") == 3
    page.press('ArrowRight')
    # Buttons work by keyboard too: the first image gets rank 1.
    page.evaluate("document.querySelector('#images button').focus()")
    page.press('Enter')
    assert page.evaluate("document.querySelector('#images button').textContent") == 'A: rank 1'
    page.press('b', 'c')
    assert page.evaluate("document.getElementById('status').textContent").endswith(
        'All are ranked: export the answers.'
    )
    page.press('!')

    file = downloaded(tmp_path / 'downloads')
    answers = read_answers([file], key)
    assert answers.ranks[0, 0].tolist() == [1, 2, 3]
    assert answers.ranks[0, 1].tolist() == [1.5, 3, 1.5]
    assert answers.ranks[0, 2].tolist() == ['abc'.index(third[model]) + 1 for model in MODELS]
    assert report(answers, key, seed=0)['rankings'] == 3


def test_nothing_leaves_the_page_and_nothing_names_the_models(study, page):
    page.open(study / PAGE / 'index.html')
    refused = (
        "new Promise(answer => { addEventListener('securitypolicyviolation', () => answer('refused by the page'));"
        "fetch('https://example.com/').catch(() => setTimeout(answer, 1000, 'not reached')); })"
    )
    assert page.evaluate(refused) == 'refused by the page'
    assert page.evaluate("document.querySelectorAll('b').length") == 0  # the caption is text
    shown = (study / PAGE / 'index.html').read_text()
    assert not any(f'"{model}"' in shown for model in MODELS)
    assert json.loads((study / KEY).read_text())['models'] == list(MODELS)
