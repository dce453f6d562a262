"""The `imagenet_subset` data set for TensorFlow Datasets."""

import dataclasses
import random
from collections.abc import Callable, Iterable, Iterator

import tensorflow_datasets as tfds

from stackgan_tf.data.published.archives import Archive
from stackgan_tf.data.published.image_validation import validated_images
from stackgan_tf.data.published.imagenet_subset.classes import class_ids
from stackgan_tf.data.published.imagenet_subset.stored_images import StoredImage, stored_images
from stackgan_tf.data.published.tfds_shards import Example, counted, in_files
from stackgan_tf.system.console import printable, say

ARCHIVE = Archive('ILSVRC2012_img_train.tar', 147_897_477_120, 'train', holds='n0*')


@dataclasses.dataclass
class ImagenetSubsetConfig(tfds.core.BuilderConfig):
    """A subset of classes, by the name of the configuration, and the paper's number of images."""

    images: int = 0


class Builder(tfds.core.ShardBasedBuilder):
    """Prepares `imagenet_subset` from ImageNet's training images, read in place; they keep their bytes.

    Their order is drawn once and always the same, so that slices such as `train[:10%]` have every class.
    """

    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    manual_dir must hold ILSVRC2012_img_train.tar (148 GB), which image-net.org gives to those who register there; it
    is read in place. Or a folder train/ with the folders or tar files of the classes, for example train/n02123045/ or
    train/n02123045.tar; those of dogs and cats are enough.
    """
    BUILDER_CONFIGS = [
        ImagenetSubsetConfig(name='dog', description='118 breeds of dogs.', images=147_873),
        ImagenetSubsetConfig(name='cat', description='5 kinds of cats.', images=6_500),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    'image': tfds.features.Image(encoding_format='jpeg'),
                    'label': tfds.features.ClassLabel(names=class_ids(self.builder_config.name)),
                }
            ),
            supervised_keys=('image', 'label'),
            homepage='https://image-net.org/',
        )

    def _shard_iterators_per_split(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, list[Callable[[], Iterator[Example]]]]:
        config = self.builder_config
        title = f'imagenet_subset/{config.name}'
        labels = {class_id: label for label, class_id in enumerate(class_ids(config.name))}
        images = stored_images(ARCHIVE.fetch(dl_manager), list(labels))
        random.Random(0).shuffle(images)
        usable = validated_images(_contents(images), title, len(images))
        examples = ((image.name, {'image': content, 'label': labels[image.class_id]}) for _, content, image in usable)
        size = sum(image.size for image in images)
        return {'train': in_files(counted(examples, title, 'train', config.images), len(images), size)}


def _contents(images: Iterable[StoredImage]) -> Iterator[tuple[str, bytes, StoredImage]]:
    for image in images:
        try:
            content = image.read()
        except OSError as error:
            say(f'{printable(image.name)} cannot be read and is left out: {error.strerror}')
            continue
        yield image.name, content, image
