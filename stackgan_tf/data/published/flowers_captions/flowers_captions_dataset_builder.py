"""The `flowers_captions` data set for TensorFlow Datasets."""

import re
from collections.abc import Iterator
from pathlib import Path

import scipy.io
import tensorflow_datasets as tfds

from stackgan_tf.data.published.archives import Archive
from stackgan_tf.data.published.caption_features import WITH_EMBEDDINGS, builder_configs, features, with_embeddings
from stackgan_tf.data.published.caption_release import Naming
from stackgan_tf.data.published.captioned_images import CaptionedImages
from stackgan_tf.data.published.flowers_captions.names import NAMES
from stackgan_tf.data.published.text_sources import TextSources, find_text_sources
from stackgan_tf.data.published.tfds_shards import Example
from stackgan_tf.system.errors import UserError

CAPTIONS = 10  # of each image
SIZES = {'train': 7_034, 'test': 1_155}  # the paper's
SPLIT_CLASSES = {'train': 82, 'test': 20}
IMAGES = Archive(
    name='102flowers.tgz',
    size=344_862_509,
    folder='jpg',
    holds='image_*',
    sha256='2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246',
    url='https://www.robots.ox.ac.uk/~vgg/data/flowers/102/102flowers.tgz',
)
LABELS = Archive(
    name='imagelabels.mat',
    size=502,
    folder='imagelabels.mat',
    holds='*',
    sha256='4903e94206bac23bf772aadf06451916df56b58fc483a62db32a97b82656651d',
    url='https://www.robots.ox.ac.uk/~vgg/data/flowers/102/imagelabels.mat',
)
_MOST = 1 << 16  # bytes of imagelabels.mat, which is compressed: a small file can hold gigabytes
NAMING = Naming(
    title='flowers_captions',
    captions=CAPTIONS,
    image=re.compile(r'(?<![^/])image_\d{5}$'),
    class_name=re.compile(r'class_\d{5}'),
    archives=('cvpr2016_flowers.tar.gz', 'flowers.zip'),
)


class Builder(tfds.core.GeneratorBasedBuilder):
    """Oxford-102 with ten captions an image: 7,034 images of 82 classes to train with, 1,155 of 20 others."""

    name = 'flowers_captions'
    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    BUILDER_CONFIGS = builder_configs()
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Put into manual_dir:
    - cvpr2016_flowers.tar.gz of Reed et al. (https://github.com/reedscot/cvpr2016), or what it unpacks to: its
      text_c10/<class>/<image>.txt are the captions, its trainvalclasses.txt and testclasses.txt the splits;
    - for flowers_captions/with_embeddings: flowers/ of StackGAN (https://github.com/hanzhanggit/StackGAN), unpacked,
      with filenames.pickle and char-CNN-RNN-embeddings.pickle in train/ and test/. Its filenames.pickle also give the
      splits where there are no class lists;
    - 102flowers.tgz or jpg/, and imagelabels.mat, if you have them: else they are downloaded (345 MB).
    """

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=features(self.builder_config, CAPTIONS, label=tfds.features.ClassLabel(names=NAMES)),
            supervised_keys=None,
            homepage='https://www.robots.ox.ac.uk/~vgg/data/flowers/102/',
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        embedded = self.builder_config.name == WITH_EMBEDDINGS
        sources = find_text_sources(dl_manager, NAMING, SPLIT_CLASSES, embedded)
        classes = read_classes(LABELS.fetch(dl_manager))

        def split_of(name: str) -> str | None:
            return sources.split_of(name, f'class_{classes.get(name, 0):05d}')

        images = CaptionedImages(NAMING, IMAGES.fetch(dl_manager), sources.captions, split_of, SIZES)
        return {split: self._generate_examples(split, images, classes, sources) for split in SIZES}

    def _generate_examples(
        self, split: str, images: CaptionedImages, classes: dict[str, int], sources: TextSources
    ) -> Iterator[Example]:
        examples = images.examples(split)
        if self.builder_config.name == WITH_EMBEDDINGS:
            assert sources.release is not None  # it was needed
            examples = with_embeddings(examples, sources.release.embeddings(split, CAPTIONS))
        for name, example in examples:
            yield name, {**example, 'label': classes.get(name, 0) - 1}


def read_classes(path: Path) -> dict[str, int]:
    """The class of every image, from 1 to 102, by its name.

    Args:
        path: of `imagelabels.mat`.

    Raises:
        UserError: it cannot be read, or is another file.
    """
    try:
        if path.stat().st_size > _MOST:
            raise ValueError('too large')
        labels = [int(label) for label in scipy.io.loadmat(path, variable_names=['labels'])['labels'].ravel()]
    except Exception as error:  # SciPy raises any kind on broken files
        raise UserError(f'{path} cannot be read: it is not imagelabels.mat of Oxford-102; fetch it again') from error
    if not set(labels) <= set(range(1, len(NAMES) + 1)):
        raise UserError(
            f'{path} has other classes than 1 to {len(NAMES)}: it is not that of Oxford-102; fetch it again'
        )
    return {f'image_{number:05d}': label for number, label in enumerate(labels, 1)}
