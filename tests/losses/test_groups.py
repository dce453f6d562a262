import numpy as np
from keras import ops

from stackgan_tf.losses.groups import share_group
from stackgan_tf.losses.joint_conditional import partners
from stackgan_tf.losses.joint_embedding import joint_embedding_loss, matching_cross_entropy

GROUPS = np.array([[0, 9], [1, 9], [2, -3], [0, -4]])
SAME = np.array([[1, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]], bool)


def test_rows_of_one_class_or_with_a_group_in_common():
    assert ops.convert_to_numpy(share_group(ops.convert_to_tensor(GROUPS))).tolist() == SAME.tolist()
    classes = ops.convert_to_tensor(GROUPS[:, 0])
    assert ops.convert_to_numpy(share_group(classes)).tolist() == (GROUPS[:, :1] == GROUPS[:, 0]).tolist()


def test_partners_share_no_group():
    rows, valid = (ops.convert_to_numpy(each).tolist() for each in partners(ops.convert_to_tensor(GROUPS)))
    assert (rows, valid) == ([2, 2, 3, 1], [1, 1, 1, 1])
    rows, valid = partners(ops.convert_to_tensor(np.array([[0, 5], [1, 5]])))
    assert ops.convert_to_numpy(valid).tolist() == [0, 0]


def test_rows_that_share_a_group_are_not_compared():
    v, t = np.random.default_rng(0).normal(size=(2, 4, 3)).astype('float32')
    scores = v @ t.T
    own = np.diag(scores)
    hinges = np.maximum(0, 1 + scores - own[:, None]) + np.maximum(0, 1 + scores - own[None, :])
    hinge = float(joint_embedding_loss(*map(ops.convert_to_tensor, (v, t, GROUPS))))
    np.testing.assert_allclose(hinge, hinges[~SAME].sum() / 16, rtol=1e-5)
    among = np.where(SAME & ~np.eye(4, dtype=bool), -np.inf, scores)
    expected = np.mean(np.log(np.exp(among).sum(0)) + np.log(np.exp(among).sum(1)) - 2 * own)
    cross_entropy = float(matching_cross_entropy(*map(ops.convert_to_tensor, (v, t, GROUPS))))
    np.testing.assert_allclose(cross_entropy, expected, rtol=1e-5)
