import os
import shutil
import tempfile

# Before TensorFlow and TFDS are imported anywhere: no chatter, no use of a GPU that may be there, and data sets in a
# folder of this session instead of the user's.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ['CUDA_VISIBLE_DEVICES'] = '-1'
os.environ['TFDS_DATA_DIR'] = tempfile.mkdtemp(prefix='stackgan_tf_tests_')


def pytest_sessionfinish():
    shutil.rmtree(os.environ['TFDS_DATA_DIR'], ignore_errors=True)
