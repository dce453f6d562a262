"""Which rows of a batch belong together, so that they are never mismatched pairs."""

from keras import KerasTensor, ops


def share_group(labels: KerasTensor) -> KerasTensor:
    """Whether two rows are of one class, or share another group.

    Args:
        labels: int `[N]`, classes; or `[N, G]`, the groups of each row, such as its class and its captions.

    Returns:
        Bool `[N, N]`.
    """
    groups = ops.reshape(labels, (ops.shape(labels)[0], -1))
    return ops.any(groups[:, None, :, None] == groups[None, :, None, :], axis=(2, 3))
