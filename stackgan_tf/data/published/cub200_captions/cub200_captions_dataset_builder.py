"""The `cub200_captions` data set for TensorFlow Datasets."""

import re
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow_datasets as tfds

from stackgan_tf.data.published.archives import Archive
from stackgan_tf.data.published.caption_features import WITH_EMBEDDINGS, builder_configs, features, with_embeddings
from stackgan_tf.data.published.caption_release import Naming
from stackgan_tf.data.published.captioned_images import CaptionedImages
from stackgan_tf.data.published.cub200_captions.boxes import boxes_by_image, checked_box, read_tables
from stackgan_tf.data.published.text_sources import TextSources, find_text_sources
from stackgan_tf.data.published.tfds_shards import Example
from stackgan_tf.system.console import say

CLASSES = 200
CAPTIONS = 10  # of each image
SIZES = {'train': 8_855, 'test': 2_933}  # the paper's
SPLIT_CLASSES = {'train': 150, 'test': 50}
IMAGES = Archive(
    name='CUB_200_2011.tgz',
    size=1_150_585_339,
    folder='CUB_200_2011',
    holds='images.txt',
    sha256='0c685df5597a8b24909f6a7c9db6d11e008733779a671760afef78feb49bf081',
    url='https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz?download=1',
)
NAMING = Naming(
    title='cub200_captions',
    captions=CAPTIONS,
    image=re.compile(r'(?<![^/])\d{3}\.[^/]+/[^/.][^/]*$'),
    class_name=re.compile(r'\d{3}\.[^/]+'),
    archives=('cvpr2016_cub.tar.gz', 'birds.zip'),
)


class Builder(tfds.core.GeneratorBasedBuilder):
    """CUB-200-2011 with ten captions an image: 8,855 images of 150 classes to train with, 2,933 of 50 others."""

    name = 'cub200_captions'
    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    BUILDER_CONFIGS = builder_configs()
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Put into manual_dir:
    - cvpr2016_cub.tar.gz of Reed et al. (https://github.com/reedscot/cvpr2016), or what it unpacks to: its
      text_c10/<class>/<image>.txt are the captions, its trainvalclasses.txt and testclasses.txt the splits;
    - for cub200_captions/with_embeddings: birds/ of StackGAN (https://github.com/hanzhanggit/StackGAN), unpacked, with
      filenames.pickle and char-CNN-RNN-embeddings.pickle in train/ and test/. Its filenames.pickle also give the
      splits where there are no class lists;
    - CUB_200_2011.tgz or CUB_200_2011/, if you have it: else it is downloaded (1.2 GB).
    """

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=features(
                self.builder_config,
                CAPTIONS,
                label=tfds.features.ClassLabel(num_classes=CLASSES),
                # x, y, width and height in pixels
                bounding_box=tfds.features.Tensor(shape=(4,), dtype=np.float32),
            ),
            supervised_keys=None,
            homepage='https://www.vision.caltech.edu/datasets/cub_200_2011/',
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        embedded = self.builder_config.name == WITH_EMBEDDINGS
        sources = find_text_sources(dl_manager, NAMING, SPLIT_CLASSES, embedded)
        path = IMAGES.fetch(dl_manager)
        tables = read_tables(path)
        self.info.features['label'].names = _class_names(tables['classes.txt'])
        images = CaptionedImages(
            NAMING, path, sources.captions, lambda name: sources.split_of(name, class_name(name)), SIZES
        )
        boxes = boxes_by_image(tables)
        return {split: self._generate_examples(split, images, boxes, sources) for split in SIZES}

    def _generate_examples(
        self, split: str, images: CaptionedImages, boxes: Mapping[str, list[str]], sources: TextSources
    ) -> Iterator[Example]:
        names = self.info.features['label'].names
        labels = {name: label for label, name in enumerate(names)}
        examples = images.examples(split)
        if self.builder_config.name == WITH_EMBEDDINGS:
            assert sources.release is not None  # it was needed
            examples = with_embeddings(examples, sources.release.embeddings(split, CAPTIONS))
        bad = 0
        for name, example in examples:
            box, is_given = checked_box(boxes.get(name, []), example['image'])
            bad += not is_given
            yield name, {**example, 'label': labels.get(class_name(name), -1), 'bounding_box': box}
        if bad:
            say(f'{NAMING.title}, {split}: boxes outside their image: {bad:,}; the whole image is used')


def class_name(image: str) -> str:
    """The class of an image: the folder it is in."""
    return image.partition('/')[0]


def _class_names(table: Mapping[str, list[str]]) -> list[str]:
    """The names of all classes, in the order of their numbers; a class that the table lacks is named by its number."""
    numbers = [str(number) for number in range(1, CLASSES + 1)]
    return [next(iter(table.get(number, [])), number) for number in numbers]
