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
from stackgan_tf.system.console import say

ARCHIVE = Archive('ILSVRC2012_img_train.tar', 147_897_477_120, 'train', holds='n0*')


@dataclasses.dataclass
class ImagenetSubsetConfig(tfds.core.BuilderConfig):
    """Which classes, by the name of the configuration, and how many pictures the paper has."""

    pictures: int = 0


class Builder(tfds.core.ShardBasedBuilder):
    """Prepares `imagenet_subset` from ImageNet's training pictures, read in place; they keep their bytes.

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
        ImagenetSubsetConfig(name='dog', description='118 breeds of dogs.', pictures=147_873),
        ImagenetSubsetConfig(name='cat', description='5 kinds of cats.', pictures=6_500),
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
        pictures = stored_images(ARCHIVE.fetch(dl_manager), list(labels))
        random.Random(0).shuffle(pictures)
        usable = validated_images(_contents(pictures), title, len(pictures))
        examples = (
            (picture.name, {'image': content, 'label': labels[picture.class_id]}) for _, content, picture in usable
        )
        size = sum(picture.size for picture in pictures)
        return {'train': in_files(counted(examples, title, 'train', config.pictures), len(pictures), size)}


def _contents(pictures: Iterable[StoredImage]) -> Iterator[tuple[str, bytes, StoredImage]]:
    for picture in pictures:
        try:
            content = picture.read()
        except OSError as error:
            say(f'{picture.name} cannot be read and is left out: {error.strerror}')
            continue
        yield picture.name, content, picture
