import os
import shutil
import tempfile

# Before TensorFlow and TFDS are imported anywhere: no chatter, no use of a GPU that may be there, and data sets and
# caches in a folder of these tests instead of the user's.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ['CUDA_VISIBLE_DEVICES'] = '-1'
os.environ['TFDS_DATA_DIR'] = tempfile.mkdtemp(prefix='stackgan_tf_tests_')
os.environ['STACKGAN_TF_CACHE'] = os.path.join(os.environ['TFDS_DATA_DIR'], 'stackgan_tf')


def pytest_sessionfinish():
    shutil.rmtree(os.environ['TFDS_DATA_DIR'], ignore_errors=True)
