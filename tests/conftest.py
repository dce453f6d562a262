import os

# Before TensorFlow is imported anywhere: no chatter, and no use of a GPU that may be there.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ['CUDA_VISIBLE_DEVICES'] = '-1'

import pytest


@pytest.fixture(scope='session', autouse=True)
def _own_data_folder(tmp_path_factory):
    """Data sets are prepared in a folder of this session, not in the user's."""
    os.environ['TFDS_DATA_DIR'] = str(tmp_path_factory.mktemp('tensorflow_datasets'))
