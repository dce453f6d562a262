"""Small image folders as sources of examples."""

import numpy as np
import tensorflow as tf

from stackgan_tf.data.image_folder.image_folder import ImageFolder

SIZES = (8, 16)  # load size 19


def source(root, **settings):
    """A folder whose images were read once."""
    folder = ImageFolder(str(root), SIZES, **{'test_fraction': 0.0, **settings})
    assert folder.count
    return folder


def crops(folder, indices, draws=None):
    draws = np.zeros((len(indices), 2)) if draws is None else draws
    return folder.crops(tf.constant(indices, tf.int64), tf.constant(draws, tf.float32), 16).numpy()


def passes(capsys):
    """How many first passes were reported since the last call."""
    return capsys.readouterr().out.count('First pass')
