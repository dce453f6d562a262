"""The `lsun_scenes` data set for TensorFlow Datasets."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow_datasets as tfds

from stackgan_tf.data.published.archives import Archive
from stackgan_tf.data.published.image_validation import validated_images
from stackgan_tf.data.published.lsun_scenes.database import Database
from stackgan_tf.data.published.lsun_scenes.unpacking import unpacked
from stackgan_tf.data.published.tfds_shards import Example, counted, in_files
from stackgan_tf.system.console import say


@dataclasses.dataclass
class LsunScenesConfig(tfds.core.BuilderConfig):
    """A category of LSUN: the sizes in bytes of its two archives, and how many training images the paper has."""

    train_bytes: int = 0
    val_bytes: int = 0
    training_images: int = 0

    def archive(self, split: str, size: int) -> Archive:
        """The published archive of the category's split, `train` or `val`."""
        name = f'{self.name}_{split}_lmdb'
        return Archive(f'{name}.zip', size, name, holds='data.mdb')


class Builder(tfds.core.ShardBasedBuilder):
    """Prepares `lsun_scenes` from LSUN's databases, in constant memory; the images keep their bytes.

    The split `test` is LSUN's val; it is left out if its archive is missing.
    """

    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
    manual_dir must hold bedroom_train_lmdb.zip (45.9 GB), for church_outdoor church_outdoor_train_lmdb.zip (2.4 GB),
    or the folder that it unpacks to, which saves unpacking it again. They are at http://dl.yf.io/lsun/scenes/.
    For the split `test` add bedroom_val_lmdb or church_outdoor_val_lmdb in the same way.
    """
    BUILDER_CONFIGS = [
        LsunScenesConfig(
            name='bedroom',
            description='Bedrooms.',
            train_bytes=45_922_737_680,
            val_bytes=4_670_661,
            training_images=3_033_042,
        ),
        LsunScenesConfig(
            name='church_outdoor',
            description='Churches from outside.',
            train_bytes=2_448_463_466,
            val_bytes=5_957_308,
            training_images=126_227,
        ),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            # Mostly WebP, which TFDS cannot decode: read with tfds.decode.SkipDecoding().
            features=tfds.features.FeaturesDict({'image': tfds.features.Image()}),
            supervised_keys=None,
            homepage='https://www.yf.io/p/lsun',
        )

    def _shard_iterators_per_split(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, list[Callable[[], Iterator[Example]]]]:
        config = self.builder_config
        train, val = config.archive('train', config.train_bytes), config.archive('val', config.val_bytes)
        train_path = train.fetch(dl_manager)
        splits = {}
        # First, so that an error in the small split does not stop the preparation at its end.
        if val.find(Path(dl_manager.manual_dir)) is None:
            say(f'{val.name} is not in {dl_manager.manual_dir}: there will be no split `test`')
        else:
            splits['test'] = self._files(val.fetch(dl_manager), dl_manager, 'test', None)
        splits['train'] = self._files(train_path, dl_manager, 'train', config.training_images)
        return splits

    def _files(
        self, path: Path, downloads: tfds.download.DownloadManager, split: str, expected: int | None
    ) -> list[Callable[[], Iterator[Example]]]:
        database = Database(unpacked(path, downloads))
        title = f'lsun_scenes/{self.builder_config.name}'
        images = ((f'{path.name}: {key}', image, key) for key, image in database.images())
        usable = validated_images(images, f'{title} ({split})', database.count)
        examples = ((key, {'image': image}) for _, image, key in usable)
        return in_files(counted(examples, title, split, expected), database.count, database.size)
