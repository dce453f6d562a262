import keras
import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.training import checkpoints as module
from stackgan_tf.training.checkpoints import Checkpoints
from stackgan_tf.user_error import UserError


def pieces(value):
    return {'weights': [tf.Variable([value, 2.0])], 'step': [tf.Variable(int(value), dtype=tf.int64)]}


def test_newest_is_restored_and_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / 'checkpoints')
    for step in (5, 10, 1_000_000):
        checkpoints.save(step, pieces(step), {'step': step})
    assert checkpoints.steps() == [10, 1_000_000]
    restored = pieces(0)
    assert checkpoints.restore(restored) == {'step': 1_000_000}
    np.testing.assert_array_equal(restored['weights'][0], [1_000_000, 2])


def test_the_best_is_kept_until_another_is(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2, 3, 4):
        checkpoints.save(step, pieces(step), {'step': step})
        if step == 1:
            checkpoints.keep_best(1, 'fid_500', 30.0)
    assert checkpoints.steps() == [1, 3, 4]
    assert checkpoints.best() == {'step': 1, 'score': 'fid_500', 'value': 30.0}
    assert (checkpoints.find('best'), checkpoints.find('newest'), checkpoints.find('3')) == (1, 4, 3)
    restored = pieces(0)
    checkpoints.restore_some(restored, 'best')
    assert int(restored['step'][0]) == checkpoints.progress('best')['step'] == 1
    checkpoints.keep_best(4, 'fid_500', 20.0)
    checkpoints.save(5, pieces(5), {'step': 5})
    assert checkpoints.steps() == [4, 5]
    # Going on takes the newest.
    assert checkpoints.restore(pieces(0)) == {'step': 5}


def test_a_checkpoint_that_is_not_there(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, pieces(5), {'step': 5})
    for which in ('best', '6', 'last'):
        with pytest.raises(UserError, match=f"no checkpoint '{which}': there are newest, 5"):
            checkpoints.find(which)
    assert checkpoints.best() is None


def test_nothing_to_restore(tmp_path):
    assert Checkpoints(tmp_path / 'checkpoints').restore(pieces(0)) is None


def test_a_kill_while_writing_leaves_the_last_good_one(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, pieces(5), {'step': 5})
    half = tmp_path / '.writing_123'
    half.mkdir()
    (half / 'variables.index').write_bytes(b'half')
    assert checkpoints.restore(pieces(0)) == {'step': 5}
    assert not half.exists()


@pytest.mark.parametrize(
    'error', [OSError(28, 'No space left on device'), tf.errors.ResourceExhaustedError(None, None, 'full')]
)
def test_no_space_keeps_the_last_good_one_and_says_so(tmp_path, monkeypatch, error):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, pieces(5), {'step': 5})

    def fail(path, value):
        raise error

    monkeypatch.setattr(module, 'write_json', fail)
    with pytest.raises(UserError, match=r'step 6 .*of step 5, is kept: free some space') as raised:
        checkpoints.save(6, pieces(6), {'step': 6})
    assert '\n' not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ['step_000005']


def test_other_variables_than_were_saved_are_no_silent_success(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, pieces(5), {'step': 5})
    more = pieces(0)
    more['weights'].append(tf.Variable(1.0))
    with pytest.raises(UserError, match='step_000005 is a checkpoint of another model'):
        checkpoints.restore(more)
    other = pieces(0)
    other['weights'] = [tf.Variable([0.0, 0.0, 0.0, 0.0])]
    with pytest.raises(UserError, match='step_000005 is a checkpoint of another model'):
        checkpoints.restore_some({'weights': other['weights']})


def test_generator_alone(tmp_path):
    network = keras.layers.Dense(2)
    network.build((None, 3))
    Checkpoints(tmp_path).save(
        5, {'averaged_generator': [variable.value for variable in network.variables], **pieces(1)}, {'step': 5}
    )
    other = keras.layers.Dense(2)
    other.build((None, 3))
    Checkpoints(tmp_path).restore_some({'averaged_generator': [variable.value for variable in other.variables]})
    np.testing.assert_array_equal(network.kernel, other.kernel)


def test_generator_of_an_empty_run(tmp_path):
    with pytest.raises(UserError, match='no checkpoint yet'):
        Checkpoints(tmp_path).restore_some({'text_encoder': []})
