"""The `painted_birds` data set for TensorFlow Datasets."""

import dataclasses
import random
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from stackgan_tf.data.painted_birds import painter
from stackgan_tf.data.painted_birds.captions import CAPTIONS_PER_IMAGE, captions
from stackgan_tf.data.painted_birds.species import (
    ATTRIBUTES,
    TRAINING_SPECIES,
    VALIDATION_SPECIES,
    all_species,
    draw_attributes,
)


@dataclasses.dataclass
class PaintedBirdsConfig(tfds.core.BuilderConfig):
    """The size of the images, and how many there are of each species.

    Mixed training images have attributes drawn for each image, and no species: from 150 species, a classifier learns
    which colors occur together, and infers one color from another.
    """

    load_size: int = 76
    training_images: int = 40
    validation_images: int = 20
    test_images: int = 50
    mixed: bool = False


class Builder(tfds.core.GeneratorBasedBuilder):
    """Paints `painted_birds`: 6,000 images of 150 species to train on, 600 of 30 to choose on, 1,000 of 20 to report.

    Configurations `76px` and `304px` are the load sizes for 64 and 256 pixel models; those with `_mixed` are for
    classifiers and longer training.
    """

    name = 'painted_birds'
    VERSION = tfds.core.Version('2.0.0')
    RELEASE_NOTES = {
        '1.0.0': 'First release.',
        '1.1.0': 'The attributes that each caption names.',
        '1.2.0': 'The attributes that no caption names: background and facing.',
        '2.0.0': 'Of the 50 species of the test, 30 are for validation; the other 20 have more images.',
    }
    BUILDER_CONFIGS = [
        PaintedBirdsConfig(name='76px', description='76 x 76 pixels, for models up to 64 pixels.', load_size=76),
        PaintedBirdsConfig(
            name='76px_mixed',
            description='Training images of any attributes, without label.',
            load_size=76,
            mixed=True,
        ),
        PaintedBirdsConfig(name='304px', description='304 x 304 pixels, for models up to 256 pixels.', load_size=304),
        PaintedBirdsConfig(
            name='304px_mixed',
            description='304 x 304 pixels, training images of any attributes, without label.',
            load_size=304,
            mixed=True,
        ),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        size = self.builder_config.load_size
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    'image': tfds.features.Image(shape=(size, size, 3), encoding_format='png'),
                    'captions': tfds.features.Sequence(tfds.features.Text(), length=CAPTIONS_PER_IMAGE),
                    'label': tfds.features.ClassLabel(names=[f'species_{i:03d}' for i in range(len(all_species()))]),
                    # x, y, width, height in pixels, as CUB has them
                    'bounding_box': tfds.features.Tensor(shape=(4,), dtype=np.float32),
                    'attributes': tfds.features.Tensor(shape=(len(ATTRIBUTES),), dtype=np.int32),
                    # of the image, and of its mirror image
                    'unnamed_attributes': tfds.features.Tensor(
                        shape=(2, len(painter.UNNAMED_ATTRIBUTES)), dtype=np.int32
                    ),
                    'caption_attributes': tfds.features.Tensor(
                        shape=(CAPTIONS_PER_IMAGE, len(ATTRIBUTES)), dtype=np.bool_
                    ),
                }
            ),
            supervised_keys=None,
            homepage='https://arxiv.org/abs/1710.10916',
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        config = self.builder_config
        labels = range(len(all_species()))
        first_of_test = TRAINING_SPECIES + VALIDATION_SPECIES
        return {
            'train': self._generate_examples(labels[:TRAINING_SPECIES], config.training_images),
            'validation': self._generate_examples(labels[TRAINING_SPECIES:first_of_test], config.validation_images),
            'test': self._generate_examples(labels[first_of_test:], config.test_images),
        }

    def _generate_examples(self, labels: range, images: int) -> Iterator[tuple[str, dict[str, object]]]:
        size = self.builder_config.load_size
        mixed = self.builder_config.mixed and labels[0] < TRAINING_SPECIES
        for label in labels:
            for number in range(images):
                rng = random.Random(f'painted_birds{" mixed" if mixed else ""} {label} {number}')
                species = draw_attributes(rng) if mixed else all_species()[label]
                pose = painter.draw_pose(species, rng)
                drawn = captions(species, rng)
                left, top, right, bottom = (size * edge for edge in painter.extent(species, pose))
                yield (
                    f'{label:03d}_{number:03d}',
                    {
                        'image': np.asarray(painter.paint(species, pose, size)),
                        'captions': [caption.text for caption in drawn],
                        'label': -1 if mixed else label,
                        'bounding_box': np.array([left, top, right - left, bottom - top], np.float32),
                        'attributes': np.array(species.indices(), np.int32),
                        'unnamed_attributes': np.array(pose.unnamed(), np.int32),
                        'caption_attributes': np.array([caption.names for caption in drawn]),
                    },
                )
