"""The paper's seven data sets: requirements and sizes (StackGAN++, table of data sets)."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from stackgan_tf.data.published.archives import Archive
from stackgan_tf.data.published.caption_features import WITH_EMBEDDINGS
from stackgan_tf.data.published.coco2014_captions import coco2014_captions_dataset_builder as coco
from stackgan_tf.data.published.cub200_captions import cub200_captions_dataset_builder as cub
from stackgan_tf.data.published.flowers_captions import flowers_captions_dataset_builder as flowers
from stackgan_tf.data.published.imagenet_subset import imagenet_subset_dataset_builder as imagenet
from stackgan_tf.data.published.lsun_scenes import lsun_scenes_dataset_builder as lsun

# On two cores: `python tools/benchmark.py prepare` measures it on LSUN's images; for photographs it is an estimate.
_MEGABYTES_PER_SECOND = 20


@dataclasses.dataclass(frozen=True)
class PublishedDataSet:
    """A data set of the paper.

    Attributes:
        name: in TensorFlow Datasets.
        title: a short description.
        archives: its published files, those that can be downloaded and those that cannot.
        by_hand: further files that the user must download, and their sources.
        license: the terms of use as its publishers state them.
        prepared_bytes: approximate size of the prepared data set.
        examples: their number in each split, in the paper.
        recipe: the gin file that trains on it.
    """

    name: str
    title: str
    archives: Sequence[Archive]
    by_hand: Sequence[str]
    license: str
    prepared_bytes: int
    examples: Mapping[str, int]
    recipe: str

    def bytes_beforehand(self, manual_dir: Path) -> int:
        """Bytes that are downloaded, or unpacked because they cannot be read in place, before preparation."""
        total = 0
        for archive in self.archives:
            found = archive.find(manual_dir)
            if (found is None and archive.url) or (found is not None and found.name.endswith('_lmdb.zip')):
                total += archive.size
        return total

    @property
    def minutes(self) -> float:
        """Estimated minutes of preparation on two cores, without downloads; at least one."""
        return max(1.0, self.prepared_bytes / 1e6 / _MEGABYTES_PER_SECOND / 60)


_FLICKR = 'non-commercial research; the images belong to those who put them on Flickr'
_SEARCH = 'none stated; the images are from the web: research, no redistribution'

_REED = 'of Reed et al. (https://github.com/reedscot/cvpr2016): captions and class lists'
_RELEASE = "of StackGAN's release (https://github.com/hanzhanggit/StackGAN), unpacked: embeddings"


def _captioned() -> list[PublishedDataSet]:
    """The sets with captions, each with and without published embeddings."""
    with_captions = [
        PublishedDataSet(
            'cub200_captions',
            'CUB-200-2011: birds, ten captions each',
            (cub.IMAGES,),
            (f'cvpr2016_cub.tar.gz {_REED}',),
            _FLICKR,
            1_200_000_000,
            cub.SIZES,
            'gin/cub.gin',
        ),
        PublishedDataSet(
            'flowers_captions',
            'Oxford-102: flowers, ten captions each',
            (flowers.IMAGES, flowers.LABELS),
            (f'cvpr2016_flowers.tar.gz {_REED}',),
            _SEARCH,
            400_000_000,
            flowers.SIZES,
            'gin/flowers.gin',
        ),
        PublishedDataSet(
            'coco2014_captions',
            'MS COCO 2014: scenes, five captions each',
            (*coco.IMAGES.values(), coco.ANNOTATIONS),
            (),
            'captions CC BY 4.0; the images belong to those who put them on Flickr',
            20_000_000_000,
            coco.SIZES,
            'gin/coco.gin',
        ),
    ]
    embedded = [
        dataclasses.replace(
            data_set,
            name=f'{data_set.name}/{WITH_EMBEDDINGS}',
            title=f'{data_set.title}, and published embeddings of them',
            by_hand=(*data_set.by_hand, f'{folder}/ {_RELEASE}'),
            prepared_bytes=data_set.prepared_bytes + more,
            recipe=recipe,
        )
        for data_set, folder, more, recipe in zip(
            with_captions,
            ('birds', 'flowers', 'coco'),
            (480_000_000, 340_000_000, 2_500_000_000),
            ('gin/cub_embeddings.gin', 'gin/flowers.gin', 'gin/coco.gin'),
            strict=True,
        )
    ]
    return [data_set for pair in zip(with_captions, embedded, strict=True) for data_set in pair]


PUBLISHED_DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        *_captioned(),
        *(
            PublishedDataSet(
                f'lsun_scenes/{config.name}',
                f'LSUN: {title}',
                (config.archive('train', config.train_bytes), config.archive('val', config.val_bytes)),
                (),
                _SEARCH,
                config.train_bytes,
                {'train': config.training_images},
                recipe,
            )
            for config, title, recipe in zip(
                lsun.Builder.BUILDER_CONFIGS,
                ('bedrooms', 'churches from outside'),
                ('gin/lsun_bedroom.gin', 'gin/lsun_church.gin'),
                strict=True,
            )
        ),
        *(
            PublishedDataSet(
                f'imagenet_subset/{config.name}',
                f'ImageNet: {config.name}s',
                (imagenet.ARCHIVE,),
                (),
                'terms of image-net.org: non-commercial research, after registration, no redistribution',
                config.images * 115_000,
                {'train': config.images},
                f'gin/imagenet_{config.name}.gin',
            )
            for config in imagenet.Builder.BUILDER_CONFIGS
        ),
    )
}
