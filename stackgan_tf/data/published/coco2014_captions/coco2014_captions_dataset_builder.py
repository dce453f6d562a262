"""The `coco2014_captions` data set for TensorFlow Datasets."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow_datasets as tfds

from stackgan_tf.data.published.archives import Archive, count_and_bytes, user_folder
from stackgan_tf.data.published.caption_features import WITH_EMBEDDINGS, builder_configs, features, with_embeddings
from stackgan_tf.data.published.caption_release import Naming
from stackgan_tf.data.published.captioned_images import CaptionedImages
from stackgan_tf.data.published.coco2014_captions.annotations import read_annotations
from stackgan_tf.data.published.stackgan_release import EMBEDDINGS, NAMES, StackganRelease, find_release
from stackgan_tf.data.published.tfds_shards import Example, in_files
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

CAPTIONS = 5  # of each image with an embedding; some images have one or two more
SIZES = {'train': 82_783, 'test': 40_504}  # the paper's: about 80,000 and 40,000
IMAGES = {
    'train': Archive(
        name='train2014.zip',
        size=13_510_573_713,
        folder='train2014',
        holds='COCO_train2014_*',
        sha256='ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775',
        url='http://images.cocodataset.org/zips/train2014.zip',
    ),
    'test': Archive(
        name='val2014.zip',
        size=6_645_013_297,
        folder='val2014',
        holds='COCO_val2014_*',
        sha256='fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0',
        url='http://images.cocodataset.org/zips/val2014.zip',
    ),
}
ANNOTATIONS = Archive(
    name='annotations_trainval2014.zip',
    size=252_872_794,
    folder='annotations',
    holds='captions_*2014.json',
    sha256='031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009',
    url='http://images.cocodataset.org/annotations/annotations_trainval2014.zip',
)
ANNOTATION_FILES = {'train': 'captions_train2014.json', 'test': 'captions_val2014.json'}
NAMING = Naming('coco2014_captions', CAPTIONS, re.compile(r'(?<![^/])COCO_(?:train|val)2014_\d{12}$'))


class Builder(tfds.core.ShardBasedBuilder):
    """MS COCO of 2014 with five captions or more an image: `train` is its train2014, `test` its val2014."""

    name = 'coco2014_captions'
    VERSION = tfds.core.Version('1.0.0')
    RELEASE_NOTES = {'1.0.0': 'First release.'}
    BUILDER_CONFIGS = builder_configs()
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Put into manual_dir:
    - for coco2014_captions/with_embeddings: coco/ of StackGAN (https://github.com/hanzhanggit/StackGAN-Pytorch),
      unpacked, with filenames.pickle and char-CNN-RNN-embeddings.pickle in train/, and in test/ if you have them;
    - train2014.zip, val2014.zip and annotations_trainval2014.zip, or train2014/, val2014/ and annotations/, if you have
      them: else they are downloaded (20 GB).
    """

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=features(self.builder_config, CAPTIONS),
            supervised_keys=None,
            homepage='https://cocodataset.org/',
        )

    def _shard_iterators_per_split(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, list[Callable[[], Iterator[Example]]]]:
        release, splits = None, list(SIZES)
        if self.builder_config.name == WITH_EMBEDDINGS:
            release, splits = _release(dl_manager)
        annotations = ANNOTATIONS.fetch(dl_manager)
        paths = {split: IMAGES[split].fetch(dl_manager) for split in splits}
        return {
            split: in_files(_examples(split, path, annotations, release), *count_and_bytes(path))
            for split, path in paths.items()
        }


def _examples(split: str, path: Path, annotations: Path, release: StackganRelease | None) -> Iterator[Example]:
    captions = read_annotations(annotations, ANNOTATION_FILES[split])
    sizes = {split: SIZES[split]}
    if release is None:
        yield from CaptionedImages(NAMING, path, captions, lambda _: split, sizes).examples(split)
    else:
        embeddings = release.embeddings(split, CAPTIONS)
        images = CaptionedImages(NAMING, path, captions, dict.fromkeys(embeddings, split).get, sizes)
        yield from with_embeddings(images.examples(split), embeddings)


def _release(downloads: tfds.download.DownloadManager) -> tuple[StackganRelease, list[str]]:
    """StackGAN's release, and the splits that it has embeddings of; its code for COCO does not need those of `test`."""
    needs = f'put coco/ of StackGAN there, unpacked, with {NAMES} and {EMBEDDINGS} in its train/'
    folder = user_folder(downloads, needs)
    release = find_release(folder, NAMING)
    splits = release.embedded() if release else []
    if release is None or 'train' not in splits:
        raise UserError(f'{NAMING.title}: no embeddings in {folder}: {needs}')
    if 'test' not in splits:
        say(f'{NAMING.title}: no {EMBEDDINGS} in {release.folder / "test"}: the split test is not prepared')
    return release, splits
