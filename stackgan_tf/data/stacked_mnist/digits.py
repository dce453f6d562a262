"""The digits of MNIST: from the published files, or from TensorFlow Datasets."""

from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from stackgan_tf.data.published.archives import near, user_folder
from stackgan_tf.formats.idx import read_idx
from stackgan_tf.system.errors import UserError

SIZE = 28  # pixels
_PREFIXES = {'train': 'train', 'test': 't10k'}  # by split
_NEEDS = 'put the four files of MNIST there, or prepare mnist of TensorFlow Datasets'


def mnist_digits(
    downloads: tfds.download.DownloadManager, data_dir_root: str, split: str
) -> tuple[np.ndarray, np.ndarray]:
    """The digits of a split: from the user's folder (`manual_dir`), else from `mnist` as TFDS has prepared it.

    Args:
        downloads: of the preparation.
        data_dir_root: the folder of prepared data sets.
        split: 'train' or 'test'.

    Returns:
        Images, uint8 `[N, 28, 28]`, and digits, uint8 `[N]`.

    Raises:
        UserError: they are in neither place, or damaged.
    """
    prepared = tfds.builder('mnist', data_dir=data_dir_root)
    try:
        files = _published_files(user_folder(downloads, _NEEDS), _PREFIXES[split])
    except UserError:
        if not prepared.is_prepared():
            raise
        both = tfds.as_numpy(prepared.as_dataset(split=split, batch_size=-1))
        return both['image'][..., 0], both['label'].astype(np.uint8)
    images, labels = map(read_idx, files)
    if images.shape != (len(labels), SIZE, SIZE) or labels.ndim != 1 or not len(labels) or labels.max() > 9:
        raise UserError(f'{files[0]} and {files[1].name} are not images of digits and as many labels: fetch them again')
    return images, labels


def _published_files(folder: Path, prefix: str) -> list[Path]:
    """The files of images and of labels, compressed or not.

    Raises:
        UserError: one is missing.
    """
    found = []
    for name in (f'{prefix}-images-idx3-ubyte', f'{prefix}-labels-idx1-ubyte'):
        path = next((path for end in ('.gz', '') for path in near(folder, f'{name}{end}') if path.is_file()), None)
        if path is None:
            raise UserError(f'{name}.gz is not in {folder}: {_NEEDS}')
        found.append(path)
    return found
