"""The `stacked_mnist` data set for TensorFlow Datasets."""

import io
import random
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from stackgan_tf.data.stacked_mnist.digits import SIZE, mnist_digits

PADDED_SIZE = 32  # pixels


class Builder(tfds.core.GeneratorBasedBuilder):
    """Stacks three random digits of MNIST as the color channels of an image: 1,000 modes, equally frequent.

    Source: Metz et al. (arXiv 1611.02163), "Stacked MNIST", in the sizes of Srivastava et al. (arXiv 1705.07761):
    128,000 images for training. The 26,000 test images have digits of MNIST's test split.
    """

    name = 'stacked_mnist'
    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    manual_dir must hold the four files of MNIST, such as train-images-idx3-ubyte.gz, compressed or not. Without them,
    the data set mnist of TensorFlow Datasets is read, if it is prepared.
    """
    IMAGES = {'train': 128_000, 'test': 26_000}

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    'image': tfds.features.Image(shape=(PADDED_SIZE, PADDED_SIZE, 3), encoding_format='png'),
                    # the digits of the channels as a number of three digits
                    'label': tfds.features.ClassLabel(names=[f'{number:03d}' for number in range(1000)]),
                    'attributes': tfds.features.Tensor(shape=(3,), dtype=np.int32),
                }
            ),
            supervised_keys=None,
            homepage='https://arxiv.org/abs/1611.02163',
            disable_shuffling=True,  # digits are drawn at random
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        return {split: self._generate_examples(dl_manager, split) for split in self.IMAGES}

    def _generate_examples(
        self, dl_manager: tfds.download.DownloadManager, split: str
    ) -> Iterator[tuple[int, dict[str, object]]]:
        images, digits = mnist_digits(dl_manager, self.data_dir_root, split)
        rng = random.Random(f'stacked_mnist {split}')
        edge = (PADDED_SIZE - SIZE) // 2
        for number in range(self.IMAGES[split]):
            chosen = [rng.randrange(len(images)) for _ in range(3)]
            stacked = np.pad(images[chosen].transpose(1, 2, 0), ((edge, edge), (edge, edge), (0, 0)))
            encoded = io.BytesIO()
            Image.fromarray(stacked).save(encoded, 'PNG')
            encoded.seek(0)
            attributes = digits[chosen].astype(np.int32)
            yield number, {'image': encoded, 'label': int(attributes @ (100, 10, 1)), 'attributes': attributes}
