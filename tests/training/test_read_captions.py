"""What a text encoder reads of the captions that it trains on: its alphabet, reports and refusals."""

import functools

import numpy as np
import pytest
from captioned import Captioned
from image_files import save
from text_phases import Reader, matching, words

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.embeddings import StoredEmbeddings
from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.loading import load_phase
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))


class Worded(Captioned):
    """Captions in the given words, one an image."""

    def __init__(self, words):
        super().__init__()
        self._words = words

    def captions(self):
        return Captions([self._words[i % len(self._words)]] for i in range(self.count))


def train_on(workdir, words, steps=2, alphabet='ascii', **settings):
    made = functools.partial(matching, alphabet=alphabet)
    encoder = Phase('encoder', made, lambda: Worded(words), steps, **settings)
    reader = Phase('reader', lambda: Reader(5), lambda: Worded(words), steps, text_encoder='encoder')
    Run([encoder, reader], tick=2, checkpoint_every=2, seed=0).train(RunDirectory(workdir, 'SEED = 0\n'))
    return load_phase(workdir, 'encoder')


CHINESE = ['\u7ea2\u8272', '\u7eff\u8272', '\u84dd\u8272']


def test_bytes_are_read_where_captions_need_them_and_after_resuming(tmp_path, capsys):
    encoder = train_on(tmp_path / 'run', CHINESE, alphabet='auto', test_data=lambda: Worded(CHINESE))
    said = capsys.readouterr().out
    assert (
        'reads captions as UTF-8 bytes, for the published alphabet 9 of 9 captions consist mostly of characters' in said
    )
    assert '3 different captions become one and the same' in said
    assert 'does not read all' not in said
    assert encoder.alphabet == 'bytes'
    # The data may change; the alphabet of a run may not.
    again = Run(
        [Phase('encoder', functools.partial(matching, alphabet='auto'), lambda: Worded(['red', 'blue']), 4)],
        tick=2,
        checkpoint_every=2,
        seed=0,
    )
    again.train(RunDirectory(tmp_path / 'run', 'SEED = 0\n'))
    assert load_phase(tmp_path / 'run', 'encoder').alphabet == 'bytes'
    assert train_on(tmp_path / 'english', ['red', 'blue'], alphabet='auto').alphabet == 'ascii'
    assert train_on(tmp_path / 'set', ['red', 'blue'], alphabet='bytes').alphabet == 'bytes'


def test_captions_that_are_not_read_whole_are_counted(tmp_path, capsys):
    train_on(tmp_path / 'run', ['x' * 202, 'x' * 203, 'red'])
    losses = '6 of 9 captions are longer than 201 characters, 3 different captions become 2 different ones'
    assert capsys.readouterr().out.count(f'encoder: the text encoder does not read all: {losses}; an') == 1


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (['a photo of sks thing'], r'encoder: the 9 captions of colored squares are the same, so a model cannot learn'),
        (['Red', 'red'], r'encoder: the 9 captions of colored squares are the same'),
        (CHINESE, r"read alike \(9 of 9 .*become one and the same\): set TextMatching.alphabet = 'bytes'"),
    ],
)
def test_captions_that_all_read_alike_are_refused(tmp_path, words, reason):
    with pytest.raises(UserError, match=reason):
        train_on(tmp_path / 'run', words)
    assert not (tmp_path / 'run').exists()


def test_captions_that_all_read_alike_are_refused_for_any_encoder(tmp_path):
    reader = Phase('reader', Reader, lambda: Worded(['blue or green']), 2, text_encoder=words)
    with pytest.raises(UserError, match='reader: the 9 captions of colored squares are the same'):
        Run([reader], tick=2, checkpoint_every=2, seed=0).train(RunDirectory(tmp_path / 'run', 'SEED = 0\n'))


def test_conditions_that_are_all_alike_are_reported(tmp_path, capsys):
    class Alike(Captioned):
        def stored_embeddings(self):
            return [np.ones((1, 4), np.float32)] * self.count

    reader = Phase('reader', Reader, Alike, 2, text_encoder=StoredEmbeddings)
    Run([reader], tick=2, checkpoint_every=2, seed=0).train(RunDirectory(tmp_path / 'run', 'SEED = 0\n'))
    assert 'reader: its conditions are all the same' in capsys.readouterr().out


def test_one_captioned_image_trains(tmp_path):
    class One(Worded):
        count = 1

    encoder = Phase('encoder', matching, lambda: One(['red']), 2)
    reader = Phase('reader', lambda: Reader(5), lambda: One(['red']), 2, text_encoder='encoder')
    Run([encoder, reader], tick=2, checkpoint_every=2, seed=0).train(RunDirectory(tmp_path / 'run', 'SEED = 0\n'))
    assert load_phase(tmp_path / 'run', 'encoder').alphabet == 'ascii'


def test_captions_that_read_alike_are_found_before_any_image_is_read(tmp_path, capsys):
    for name in 'ab':
        save(tmp_path / 'images' / f'{name}.png')
        (tmp_path / 'images' / f'{name}.txt').write_text('a photo of sks thing')
    data = functools.partial(ImageFolder, str(tmp_path / 'images'), (8,), test_fraction=0.0)
    phase = Phase('encoder', functools.partial(matching, alphabet='auto'), data, 4)
    with pytest.raises(UserError, match=r'encoder: the 2 captions of .*images are the same'):
        Run([phase], tick=2, checkpoint_every=2, seed=0).train(RunDirectory(tmp_path / 'run', 'SEED = 0\n'))
    assert 'First pass' not in capsys.readouterr().out
