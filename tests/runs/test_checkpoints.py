import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.runs import checkpoints as module
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.system.errors import UserError


def checkpoint_variables(value):
    return {'weights': [tf.Variable([value, 2.0])], 'step': [tf.Variable(int(value), dtype=tf.int64)]}


def test_newest_is_restored_and_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / 'checkpoints')
    for step in (5, 10, 1_000_000):
        checkpoints.save(step, checkpoint_variables(step), {'step': step})
    assert checkpoints.steps() == [10, 1_000_000]
    restored = checkpoint_variables(0)
    assert checkpoints.restore(restored) == {'step': 1_000_000}
    np.testing.assert_array_equal(restored['weights'][0], [1_000_000, 2])


def test_the_best_is_kept_until_another_is(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    best = {'step': 1, 'score': 'fid_500', 'value': 30.0}
    for step in (1, 2, 3, 4):
        checkpoints.save(step, checkpoint_variables(step), {'step': step, 'best': best})
    assert checkpoints.steps() == [1, 3, 4]
    assert checkpoints.best() == best
    assert (checkpoints.find('best'), checkpoints.find('newest'), checkpoints.find('3')) == (1, 4, 3)
    restored = checkpoint_variables(0)
    checkpoints.restore_networks(restored, 'best')
    assert int(restored['step'][0]) == checkpoints.progress('best')['step'] == 1
    checkpoints.save(5, checkpoint_variables(5), {'step': 5, 'best': {'step': 4, 'score': 'fid_500', 'value': 20.0}})
    assert checkpoints.steps() == [4, 5]
    # Training resumes from the newest.
    assert checkpoints.restore(checkpoint_variables(0))['step'] == 5


def test_more_of_the_newest_and_one_of_every_period_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep_last=3, keep_every_hours=2.0)
    for step, hours in enumerate((0.5, 1.9, 2.1, 3.9, 4.5, 5.0, 5.5, 9.0, 9.1), start=1):
        checkpoints.save(step, checkpoint_variables(step), {'step': step, 'seconds': 3600 * hours})
    # The third is the first after two hours, the fifth the first after four; 7 to 9 are the newest.
    assert checkpoints.steps() == [3, 5, 7, 8, 9]


def test_a_checkpoint_that_is_not_there(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, checkpoint_variables(5), {'step': 5})
    for which in ('best', '6', 'last', '²', 5_000 * '9'):
        with pytest.raises(UserError, match=f"no checkpoint '{which}': there are newest, 5"):
            checkpoints.find(which)
    assert checkpoints.best() is None


def test_nothing_to_restore(tmp_path):
    assert Checkpoints(tmp_path / 'checkpoints').restore(checkpoint_variables(0)) is None


def test_a_kill_while_writing_leaves_the_last_good_one(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, checkpoint_variables(5), {'step': 5})
    half = tmp_path / '.step_000006.0123456789abcdef'
    half.mkdir()
    (half / 'variables.index').write_bytes(b'half')
    checkpoints.repair()
    assert checkpoints.restore(checkpoint_variables(0)) == {'step': 5}
    assert not half.exists()


def test_a_writer_with_the_same_process_id_on_another_host_keeps_its_files(tmp_path):
    other = tmp_path / f'.writing_{os.getpid()}' / 'variables.index'
    other.parent.mkdir()
    other.write_bytes(b'half')
    Checkpoints(tmp_path).save(5, checkpoint_variables(5), {'step': 5})
    assert other.read_bytes() == b'half'


@pytest.mark.parametrize(
    'error', [OSError(28, 'No space left on device'), tf.errors.ResourceExhaustedError(None, None, 'full')]
)
def test_no_space_keeps_the_last_good_one_and_says_so(tmp_path, monkeypatch, error):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, checkpoint_variables(5), {'step': 5})

    def fail(path, value):
        raise error

    monkeypatch.setattr(module, 'write_json', fail)
    with pytest.raises(UserError, match=r'step 6 .*of step 5, is kept: make room') as raised:
        checkpoints.save(6, checkpoint_variables(6), {'step': 6})
    assert '\n' not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ['step_000005']


DAMAGES = {
    'cut short': lambda path: path.write_bytes(path.read_bytes()[:-2]),
    'emptied': lambda path: path.write_bytes(b''),
    'a bit flipped': lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
    'gone': lambda path: path.unlink(),
}


def saved_twice(folder):
    checkpoints = Checkpoints(folder)
    for step in (5, 10):
        checkpoints.save(step, checkpoint_variables(step), {'step': step})
    return Checkpoints(folder)


@pytest.mark.parametrize('damage', DAMAGES)
@pytest.mark.parametrize('name', ['variables.data-00000-of-00001', 'variables.index', 'progress.json', 'SHA256SUMS'])
def test_a_damaged_checkpoint_is_never_used(tmp_path, capsys, name, damage):
    checkpoints = saved_twice(tmp_path)
    DAMAGES[damage](checkpoints.path(10) / name)
    restored = checkpoint_variables(0)
    assert checkpoints.restore(restored) == {'step': 5}
    np.testing.assert_array_equal(restored['weights'][0], [5, 2])
    said = capsys.readouterr().out
    assert said.startswith(f'{checkpoints.path(10)} is damaged (')
    assert said.endswith('): resuming from the one before it\n')
    assert (checkpoints.progress()['step'], checkpoints.find('newest')) == (5, 5)
    with pytest.raises(UserError, match=r"no checkpoint '10 that is whole': there are newest, 5$"):
        checkpoints.find('10')
    assert capsys.readouterr().out == ''  # once is enough


def test_every_bit_of_the_checksums_counts(tmp_path):
    path = saved_twice(tmp_path).path(10) / 'SHA256SUMS'
    content = path.read_bytes()
    for end in range(len(content) - 1):
        path.write_bytes(content[:end])
        assert Checkpoints(tmp_path).damage(10)
    path.write_bytes(content)
    assert Checkpoints(tmp_path).damage(10) is None


def test_a_damaged_checkpoint_is_set_aside_and_written_again(tmp_path):
    checkpoints = saved_twice(tmp_path)
    DAMAGES['cut short'](checkpoints.path(10) / 'variables.index')
    checkpoints.repair()
    assert (checkpoints.steps(), checkpoints.reached()) == ([5], 10)
    assert {path.name for path in tmp_path.iterdir()} == {'step_000005', 'damaged_step_000010'}
    checkpoints.save(10, checkpoint_variables(10), {'step': 10})
    assert Checkpoints(tmp_path).find('newest') == 10


def test_without_any_that_is_whole_nothing_starts_again_in_silence(tmp_path):
    checkpoints = saved_twice(tmp_path)
    for step in (5, 10):
        DAMAGES['a bit flipped'](checkpoints.path(step) / 'variables.data-00000-of-00001')
    with pytest.raises(UserError, match=r'no checkpoint that is whole; they are kept as damaged_\*: put back'):
        checkpoints.repair()
    Checkpoints(tmp_path).repair()
    assert Checkpoints(tmp_path).restore(checkpoint_variables(0)) is None


def test_what_was_not_written_as_meant_is_no_checkpoint(tmp_path, monkeypatch):
    checkpoints = saved_twice(tmp_path)

    def write_badly(path, value):
        if path.name == 'progress.json':
            DAMAGES['a bit flipped'](path.with_name('variables.data-00000-of-00001'))

    monkeypatch.setattr(module, 'write_json', write_badly)
    with pytest.raises(UserError, match=r'cannot write the checkpoint of step 15 .* the last good one, of step 10'):
        checkpoints.save(15, checkpoint_variables(15), {'step': 15})
    assert checkpoints.steps() == [5, 10]


def test_a_kill_while_an_old_one_is_removed(tmp_path):
    checkpoints = saved_twice(tmp_path)
    doomed = checkpoints.path(5).rename(tmp_path / '.step_000005.0123456789abcdef')
    (doomed / 'progress.json').unlink()
    checkpoints.repair()
    assert [path.name for path in tmp_path.iterdir()] == ['step_000010']


def test_folders_of_other_names_are_no_checkpoints(tmp_path):
    saved_twice(tmp_path)
    (tmp_path / 'step_000010 (copy)').mkdir()
    (tmp_path / 'step_last').mkdir()
    (tmp_path / 'damaged_step_000020').mkdir()
    (tmp_path / 'damaged_step_000030 (copy)').mkdir()
    assert Checkpoints(tmp_path).steps() == [5, 10]
    assert Checkpoints(tmp_path).reached() == 20


def test_other_variables_than_were_saved_are_no_silent_success(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, checkpoint_variables(5), {'step': 5})
    more = checkpoint_variables(0)
    more['weights'].append(tf.Variable(1.0))
    with pytest.raises(UserError, match='step_000005 is a checkpoint of another model'):
        checkpoints.restore(more)
    other = checkpoint_variables(0)
    other['weights'] = [tf.Variable([0.0, 0.0, 0.0, 0.0])]
    with pytest.raises(UserError, match='step_000005 is a checkpoint of another model'):
        checkpoints.restore_networks({'weights': other['weights']})


def test_generator_alone(tmp_path):
    network = keras.layers.Dense(2)
    network.build((None, 3))
    Checkpoints(tmp_path).save(
        5, {'generator_ema': [variable.value for variable in network.variables], **checkpoint_variables(1)}, {'step': 5}
    )
    other = keras.layers.Dense(2)
    other.build((None, 3))
    Checkpoints(tmp_path).restore_networks({'generator_ema': [variable.value for variable in other.variables]})
    np.testing.assert_array_equal(network.kernel, other.kernel)


def test_generator_of_an_empty_run(tmp_path):
    with pytest.raises(UserError, match='no checkpoint yet'):
        Checkpoints(tmp_path).restore_networks({'text_encoder': []})
